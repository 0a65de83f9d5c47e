//! The door over a small warehouse with canaries, asked as programs and browsers ask it.

mod changes;
mod forms;
mod house;
mod matrix;
mod pages;
mod people;
mod tricks;
