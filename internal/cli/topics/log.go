package topics

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/out"
	"ottla/internal/inspect"
	"ottla/internal/logimport"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
)

// LogCommand is the noun log: log directories, of Kafka and of ours.
func LogCommand(o *ask.Options) *cobra.Command {
	return ask.Noun("log", "logs", "Look into log directories, check them, import Kafka's", logDump(o), logVerify(o), logImport(o))
}

func logImport(o *ask.Options) *cobra.Command {
	var data string
	var link, partial bool
	c := &cobra.Command{
		Use:   "import DIR...",
		Short: "Bring the log directories of a stopped Kafka node into a new data directory",
		Long: "Bring the log directories of a stopped Kafka node (log.dirs, and metadata.log.dir where that\n" +
			"is another) into a new data directory: every record at its offset, topics with their ids and\n" +
			"settings, producers, committed offsets of groups. The source is not changed. Everything is\n" +
			"compared with the source, batch by batch, before the directory counts; an import that was\n" +
			"broken off is begun anew by the same command.",
		Example: "  ottla log import /var/lib/kafka/data --data /var/lib/ottla",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if data == "" {
				return fail.Usagef("--data is missing: the directory to fill")
			}
			disk := vfs.NewOS()
			defer disk.Close()
			lo := logimport.Options{
				FS: disk, Sources: args, Data: data, Link: link, Partial: partial, Now: time.Now, NewID: drawID,
			}
			if ask.Terminal(o.Err) {
				lo.Progress = func(p logimport.Partition, done, all int) {
					fmt.Fprintf(o.Err, "\r\033[K%d of %d partitions: %s-%d", done, all, p.Topic, p.Partition)
					if done == all {
						fmt.Fprint(o.Err, "\r\033[K")
					}
				}
			}
			res, err := logimport.Run(cmd.Context(), lo)
			if err != nil {
				return importFailure(err, data)
			}
			return reportImport(o, res, data)
		},
	}
	f := c.Flags()
	f.StringVar(&data, "data", "", "the data directory to fill: empty, or not there yet")
	f.BoolVar(&link, "link", false, "hard-link closed segments instead of copying them (after a clean stop); Kafka must not be started on the source again")
	f.BoolVar(&partial, "partial", false, "take partitions whose files are in none of the directories as empty ones")
	return c
}

func drawID() uuid.UUID {
	id, err := uuid.New(rand.Reader)
	if err != nil {
		panic("cli: the system's random source failed: " + err.Error())
	}
	return id
}

func importFailure(err error, data string) error {
	var refused *logimport.Refused
	if errors.As(err, &refused) {
		f := fail.New(fail.Failed, "nothing was imported", refused.Path+" "+refused.Reason, refused.Advice)
		if refused.Cause != nil {
			f.Why += ": " + refused.Cause.Error()
		}
		return f
	}
	return &fail.Failure{Code: fail.Failed, What: "the import into " + data + " did not finish", Why: err.Error(),
		Next: "Mend what is wrong and run the same command again: it begins anew. The source is unchanged.", Cause: err}
}

func reportImport(o *ask.Options, res *logimport.Result, data string) error {
	t := &out.Table{Empty: "There were no topics.", Columns: []out.Column{
		{Field: "topic", Title: "TOPIC"}, {Field: "partition", Title: "PARTITION", Right: true},
		{Field: "start", Title: "START", Right: true}, {Field: "end", Title: "END", Right: true},
		{Field: "batches", Title: "BATCHES", Right: true}, {Field: "records", Title: "RECORDS", Right: true},
		{Field: "bytes", Title: "BYTES", Right: true}, {Field: "checksum", Title: "CHECKSUM"}, {Field: "note", Title: "NOTE"},
	}}
	for _, p := range res.Partitions {
		var note any
		switch {
		case p.Empty:
			note = "no files: empty"
		case p.Cut != "":
			note = p.Cut
		}
		t.Add(p.Topic, p.Partition, p.Start, p.End, p.Batches, p.Records, p.Bytes, fmt.Sprintf("%08x", p.CRC), note)
	}
	if err := o.Print(t); err != nil {
		return err
	}
	if o.Machine() {
		return nil
	}
	state := "stopped cleanly"
	if !res.Clean {
		state = "not stopped cleanly; its logs were recovered"
	}
	fmt.Fprintf(o.Err, "Imported %d topics, %d partitions, %d settings of node %d of cluster %s (%s); %d files copied, %d linked.\n",
		res.Topics, len(res.Partitions), res.Settings, res.NodeID, res.ClusterID, state, res.Copied, res.Linked)
	if len(res.Skipped) > 0 {
		fmt.Fprintf(o.Err, "Left behind, for no topic claims them: %s\n", strings.Join(res.Skipped, ", "))
	}
	fmt.Fprintf(o.Err, "Start it: ottla serve --data %s\n", data)
	return nil
}

func logVerify(o *ask.Options) *cobra.Command {
	return &cobra.Command{
		Use:   "verify DIR",
		Short: "Check every checksum, offset, index and snapshot of a stopped node's directory, Kafka's too",
		Long: "Check a data directory, or one partition's directory, of a node that is stopped; Kafka's too.\n" +
			"Prints what is wrong and where, and exits with 1 when anything is. What a crash left at the\n" +
			"end of a log, which the next start cuts, is shown as a tail and is no failure.",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			disk := vfs.NewOS()
			defer disk.Close()
			t := &out.Table{Empty: "Nothing is wrong.", Columns: []out.Column{
				{Field: "severity", Title: "SEVERITY"}, {Field: "file", Title: "FILE"}, {Field: "byte", Title: "BYTE", Right: true},
				{Field: "offset", Title: "OFFSET", Right: true}, {Field: "reason", Title: "REASON"},
			}}
			held, err := holdStopped(disk, args[0])
			if err != nil {
				return err
			}
			defer held.Close()
			report, err := inspect.Verify(disk, args[0], func(p inspect.Problem) error {
				severity := "wrong"
				if p.Tail {
					severity = "tail"
				}
				if len(t.Rows) < maxProblems {
					t.Add(severity, p.File, known(p.Byte), known(p.Offset), p.Reason)
				}
				return nil
			})
			if err != nil {
				return &fail.Failure{Code: fail.Failed, What: "cannot check " + args[0], Why: err.Error(), Cause: err}
			}
			if err := o.Print(t); err != nil {
				return err
			}
			if !o.Machine() {
				fmt.Fprintf(o.Err, "%d partitions, %d segments, %d batches, %d records, %d bytes, %d other files: %d wrong, %d tails.\n",
					report.Partitions, report.Segments, report.Batches, report.Records, report.Bytes, report.Files, report.Problems, report.Tails)
			}
			if report.Problems > 0 {
				return ask.Silent(fail.Failed)
			}
			return nil
		},
	}
}

// holdStopped sees to it that no node, Ottla's or Kafka's, writes into a
// directory while it is checked: its files are then in the middle of things.
func holdStopped(disk *vfs.OS, dir string) (io.Closer, error) {
	for _, name := range []string{filepath.Join(dir, ".lock"), filepath.Join(dir, "..", ".lock")} {
		held, err := disk.Hold(name)
		switch {
		case err == nil:
			return held, nil
		case errors.Is(err, vfs.ErrLocked):
			return nil, fail.New(fail.Failed, "cannot check "+dir, "a node runs on it", "Stop the node first. A running one checks what it reads by itself.")
		}
	}
	return io.NopCloser(nil), nil // a copy, without a lock file
}

// maxProblems bounds what is listed: where more is wrong the first say enough.
const maxProblems = 10000

func known(n int64) any {
	if n < 0 {
		return nil
	}
	return n
}
