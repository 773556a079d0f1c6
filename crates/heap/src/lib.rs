//! Returns freed memory to the system.
//!
//! The allocator of glibc keeps freed memory below memory that is in use: after a flood a program
//! stays as large as it was at its peak.

/// Returns free memory. It takes milliseconds in which other threads cannot allocate: call it after
/// much was freed, from a thread that may block. Other allocators do this by themselves.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(unsafe_code, reason = "the standard library has no such call")]
    // SAFETY: it takes no pointer, may be called at any time from any thread, and does not touch
    // memory that is in use.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    /// Resident memory, in kilobytes.
    fn resident() -> usize {
        let status = std::fs::read_to_string("/proc/self/status").expect("Linux says it");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    #[test]
    fn memory_freed_below_used_memory_is_given_back() {
        let mut pieces: Vec<Option<Vec<u8>>> = (0..40_000).map(|_| Some(vec![1; 1_000])).collect();
        let most = resident();
        // The last one stays allocated, so that the end of the heap cannot be trimmed.
        let last = pieces.len() - 1;
        pieces[..last].fill(None);
        super::give_back();
        let after = resident();
        assert!(after + 30_000 < most, "{after} kB of {most} kB");
    }
}
