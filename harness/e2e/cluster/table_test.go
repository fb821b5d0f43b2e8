package cluster_test

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// table is what was admitted and refused, by which mechanism.
type table struct {
	columns []string
	rows    []string
	cells   map[string]map[string]string // by row and column
}

func (tab *table) set(row, column, cell string) {
	if tab.cells == nil {
		tab.cells = map[string]map[string]string{}
	}
	if !slices.Contains(tab.columns, column) {
		tab.columns = append(tab.columns, column)
	}
	if tab.cells[row] == nil {
		tab.cells[row] = map[string]string{}
		tab.rows = append(tab.rows, row)
	}
	tab.cells[row][column] = cell
}

func (tab *table) write(w io.Writer) error {
	text := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(first string, cell func(column string) string) {
		fmt.Fprint(text, first)
		for _, column := range tab.columns {
			fmt.Fprint(text, "\t", cell(column))
		}
		fmt.Fprintln(text)
	}
	line("WHAT", func(column string) string { return column })
	for _, row := range tab.rows {
		line(row, func(column string) string {
			if cell, ok := tab.cells[row][column]; ok {
				return cell
			}
			return "-"
		})
	}
	return text.Flush()
}
