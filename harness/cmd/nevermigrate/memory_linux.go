package main

import "syscall"

// adviseLargePages is madvise(2). It is advice: whether it is followed changes nothing
// but the time.
func adviseLargePages(memory []byte) { _ = syscall.Madvise(memory, syscall.MADV_HUGEPAGE) }
