package topics

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/out"
	"ottla/internal/inspect"
	"ottla/internal/vfs"
)

func logDump(o *ask.Options) *cobra.Command {
	var opts inspect.Options
	var limit int
	c := &cobra.Command{
		Use:   "dump FILE|DIR",
		Short: "Show what is in the files of a log directory, Kafka's too",
		Long: "Show what is in a file of a log directory, or in all files below a directory: batches and records\n" +
			"of .log, entries of .index, .timeindex, .txnindex and .snapshot, checkpoints, and the records of\n" +
			"metadata and groups decoded. Exits with 1 where a file is damaged.",
		Example: "  ottla log dump /var/lib/ottla/orders-0/00000000000000000000.log --records",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			disk := vfs.NewOS()
			defer disk.Close()
			w := bufio.NewWriter(o.Out)
			p := newLinePrinter(w, o.Format)
			n := 0
			bad, err := inspect.Dump(disk, args[0], opts, func(l *inspect.Line) error {
				if limit > 0 && n >= limit {
					return inspect.ErrStop
				}
				n++
				return p.print(l)
			})
			if err == nil {
				err = p.end()
			}
			if err = errors.Join(err, w.Flush()); err != nil {
				return &fail.Failure{Code: fail.Failed, What: "cannot show " + args[0], Why: err.Error(), Cause: err}
			}
			if bad > 0 {
				return ask.Silent(fail.Failed)
			}
			return nil
		},
	}
	f := c.Flags()
	f.BoolVarP(&opts.Records, "records", "r", false, "show the records of batches too")
	f.BoolVar(&opts.Decode, "decode", true, "show the records of metadata and groups, decoded")
	f.IntVarP(&limit, "limit", "n", 0, "stop after so many lines (0: all)")
	return c
}

// linePrinter prints lines as they come: a log may be far larger than memory.
// Only the forms that need all rows at once gather them.
type linePrinter struct {
	w      io.Writer
	format string
	file   string
	n      int
	table  *out.Table
}

func newLinePrinter(w io.Writer, format string) *linePrinter {
	p := &linePrinter{w: w, format: format}
	if format != "table" && format != "json" && format != "ndjson" {
		p.table = &out.Table{Columns: []out.Column{
			{Field: "file", Title: "FILE"}, {Field: "kind", Title: "KIND"}, {Field: "byte", Title: "BYTE", Right: true}, {Field: "text", Title: "TEXT"},
		}}
	}
	return p
}

func (p *linePrinter) print(l *inspect.Line) error {
	p.n++
	switch {
	case p.table != nil:
		p.table.Add(l.File, l.Kind, known(l.Byte), l.Text())
		return nil
	case p.format == "table":
		if l.File != p.file {
			p.file = l.File
			if _, err := fmt.Fprintf(p.w, "%s\n", l.File); err != nil {
				return err
			}
		}
		_, err := fmt.Fprintf(p.w, "  %s\n", l.Text())
		return err
	}
	b, err := lineObject(l)
	if err != nil {
		return err
	}
	before, after := "", "\n"
	if p.format == "json" {
		before, after = ",\n", ""
		if p.n == 1 {
			before = "[\n"
		}
	}
	_, err = fmt.Fprintf(p.w, "%s%s%s", before, b, after)
	return err
}

func (p *linePrinter) end() error {
	switch {
	case p.table != nil:
		return p.table.Print(p.w, p.format)
	case p.format != "json":
		return nil
	case p.n == 0:
		_, err := io.WriteString(p.w, "[]\n")
		return err
	}
	_, err := io.WriteString(p.w, "\n]\n")
	return err
}

// lineObject is a line as an object whose fields keep their order.
func lineObject(l *inspect.Line) ([]byte, error) {
	fields := append([]inspect.Field{{Name: "file", Value: l.File}, {Name: "kind", Value: l.Kind}, {Name: "byte", Value: known(l.Byte)}}, l.Fields...)
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range fields {
		if i > 0 {
			b.WriteByte(',')
		}
		value, err := json.Marshal(f.Value)
		if err != nil {
			return nil, fmt.Errorf("%s as JSON: %w", f.Name, err)
		}
		fmt.Fprintf(&b, "%q:%s", f.Name, value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
