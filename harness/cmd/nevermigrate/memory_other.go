//go:build !linux

package main

func adviseLargePages([]byte) {}
