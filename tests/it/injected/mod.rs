//! The real program under a kernel that kills it, or that refuses it a system call: what the tests
//! in tests/crash prove step by step with a recorded disk, seen from outside.

mod kill;
