// Command command is what the guard starts in the tests of its image: it is static,
// as the image has nothing else.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"syscall"
	"time"
)

func main() {
	switch os.Args[1] {
	case "exit":
		status, err := strconv.Atoi(os.Args[2])
		if err != nil {
			panic(err)
		}
		os.Exit(status)
	case "show":
		folder, err := os.Getwd()
		environ := os.Environ()
		slices.Sort(environ)
		fmt.Printf("%d %d %d %q %q %q %v\n", os.Getpid(), os.Getuid(), os.Getgid(), os.Args, environ, folder, err)
	case "wait":
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGUSR1)
		fmt.Println("ready")
		switch <-signals {
		case syscall.SIGTERM:
			fmt.Println("bye")
			os.Exit(9)
		case syscall.SIGINT:
			fmt.Println("interrupted")
			os.Exit(7)
		case syscall.SIGUSR1:
			fmt.Println("reload")
		}
	case "ignore":
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("ready")
		time.Sleep(time.Hour)
	}
}
