//! The door, message by message, over a socket.

mod catalogue;
mod house;
mod protocol;
mod robust;
mod tricks;
