package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/proompteng/nevermigrate/harness/internal/manual"
)

// newManCommand is hidden: packages hold the pages, and people read the help.
func newManCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "man FOLDER",
		Short:   "Write the man pages into a folder",
		Example: "  nevermigrate man /usr/local/share/man/man1",
		Hidden:  true,
		Args:    exactArgs(1, "one FOLDER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fmt.Errorf("write man pages: %w", err)
			}
			for _, one := range manual.Commands(cmd.Root()) {
				if err := os.WriteFile(filepath.Join(args[0], manual.ManName(one)), manual.Man(one), 0o644); err != nil {
					return fmt.Errorf("write man pages: %w", err)
				}
			}
			return nil
		},
	}
}
