//! Starts the window.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

fn main() {
    r3mes_desktop::run();
}
