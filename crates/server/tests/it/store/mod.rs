//! What the store keeps when the disk, the process or the key fails.
mod crash;
mod erased;
mod full_disk;
mod history;
mod killed_at_work;
mod sealed;
mod two_servers;
