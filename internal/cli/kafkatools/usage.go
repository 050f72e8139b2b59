package kafkatools

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	usageColumn = 40
	usageWidth  = 80
)

// usage lists the tool's options in two columns, as joptsimple does.
func (c *call) usage(w io.Writer) {
	all := append(slices.Clone(c.options), common...)
	slices.SortFunc(all, func(a, b option) int { return strings.Compare(a.name, b.name) })
	fmt.Fprintf(w, "%-*s %s\n%-*s %s\n", usageColumn, "Option", "Description", usageColumn, "------", "-----------")
	for _, o := range all {
		left := "--" + o.name
		switch {
		case o.optional:
			left += " [" + o.arg + "]"
		case o.arg != "":
			left += " <" + o.arg + ">"
		}
		help := o.help
		if o.instead != "" {
			help = "(DEPRECATED) same as --" + o.instead
		}
		if o.required {
			help = "REQUIRED: " + help
		}
		lines := wrap(help, usageWidth-usageColumn-1)
		if len(left) > usageColumn {
			fmt.Fprintln(w, left)
			left = ""
		}
		for _, text := range lines {
			fmt.Fprintf(w, "%-*s %s\n", usageColumn, left, text)
			left = ""
		}
	}
}

// wrap breaks text at spaces into lines of at most width bytes; a longer word
// stands alone.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case len(line)+1+len(word) > width:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}
