package cluster_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// mortal is a program that ends with this one, however this one ends: a time
// limit of go test or Ctrl-C runs no cleanup. It is for programs that somebody
// else starts; start does the same by itself.
func (c *Cluster) mortal(name, program string) string {
	c.t.Helper()
	quoted := "'" + strings.ReplaceAll(program, "'", `'\''`) + "'"
	return c.file(name+".sh", fmt.Sprintf("#!/bin/sh\nexec setpriv --pdeathsig KILL -- %s \"$@\"\n", quoted), 0o700)
}

// start runs a program until the test ends, and returns the path of its log. A
// program that ends before that fails the test.
func (c *Cluster) start(name, program string, args ...string) string {
	c.t.Helper()
	log := c.log(name)
	cmd := exec.Command(program, args...)
	cmd.Env = []string{"KUBECONFIG=" + c.kubeconfig(), "HOME=" + c.dir, "PATH=" + os.Getenv("PATH")}
	cmd.Dir = c.dir
	cmd.Stdout, cmd.Stderr = log, log
	// A group of its own: Ctrl-C is for the test, which then ends its servers.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		c.t.Fatalf("start %s: %v", name, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	c.t.Cleanup(func() {
		select {
		case err := <-ended:
			c.t.Errorf("%s ended by itself: %v; its log is %s", name, err, log.Name())
			return
		default:
		}
		if err := stop(cmd.Process.Pid, ended); err != nil {
			c.t.Errorf("stop %s: %v", name, err)
		}
	})
	return filepath.Base(log.Name())
}

// stop ends a process and its children, politely at first.
func stop(pid int, ended <-chan error) error {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if err := syscall.Kill(-pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
		select {
		case <-ended:
			return nil
		case <-time.After(15 * time.Second):
		}
	}
	return fmt.Errorf("process %d does not end", pid)
}
