//! The door over loopback, before a warehouse full of canaries.

mod descriptions;
mod house;
mod log_in;
mod options;
mod robust;
mod statements;
mod tickets;
mod tricks;
