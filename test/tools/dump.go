package main

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"ottla/test/oracle/apache"
)

// complaint is what kafka-dump-log says of a file that it does not like.
var complaint = regexp.MustCompile(`(?i)mismatch|exception|error|invalid|isvalid: false|is followed by|corrupt|not found|sanity|out of order|extra bytes`)

// nothingWrong are words of complaint in lines that are none. The tool takes -1
// for the offset before each file, so of any rolled segment, Kafka's too, it
// says that -1 is followed by the first.
var nothingWrong = regexp.MustCompile(`passed sanity check|ErrorCode|TopicId|^-1 is followed by \d+$`)

// dump lets kafka-dump-log read every file below a data folder and gives what
// it complained of.
func dump(ctx context.Context, tools *apache.Shell, data string) ([]string, error) {
	plain, meta, err := files(data)
	if err != nil {
		return nil, err
	}
	if len(plain) == 0 || len(meta) == 0 {
		return []string{fmt.Sprintf("there are %d files of topics and %d of metadata below %s", len(plain), len(meta), data)}, nil
	}
	found := dumpOf(ctx, tools, plain, "--deep-iteration")
	found = append(found, dumpOf(ctx, tools, plain, "--index-sanity-check")...)
	for topic, decoder := range map[string]string{"__transaction_state-": "--transaction-log-decoder", "__consumer_offsets-": "--offsets-decoder"} {
		logs := slices.DeleteFunc(slices.Clone(plain), func(path string) bool {
			return filepath.Ext(path) != ".log" || !strings.HasPrefix(filepath.Base(filepath.Dir(path)), topic)
		})
		if len(logs) > 0 {
			found = append(found, dumpOf(ctx, tools, logs, decoder)...)
		}
	}
	return append(found, dumpOf(ctx, tools, meta, "--cluster-metadata-decoder")...), nil
}

// files finds what the tool reads: of topics and of the metadata log.
func files(data string) (plain, meta []string, err error) {
	err = filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		kinds := []string{".log", ".index", ".timeindex", ".snapshot", ".txnindex", ".checkpoint"}
		if !slices.Contains(kinds, filepath.Ext(path)) {
			return nil
		}
		folder := filepath.Base(filepath.Dir(path))
		switch {
		case strings.HasPrefix(folder, "__cluster_metadata"):
			if slices.Contains([]string{".log", ".checkpoint"}, filepath.Ext(path)) {
				meta = append(meta, path)
			} else {
				plain = append(plain, path)
			}
		case strings.Contains(folder, "-") && filepath.Dir(filepath.Dir(path)) == data:
			plain = append(plain, path)
		}
		return nil
	})
	return plain, meta, err
}

func dumpOf(ctx context.Context, tools *apache.Shell, files []string, option string) []string {
	o, err := tools.Run(ctx, "kafka-dump-log", "", option, "--files", strings.Join(files, ","))
	if err != nil {
		return []string{err.Error()}
	}
	var found []string
	if o.Exit != 0 {
		found = append(found, fmt.Sprintf("kafka-dump-log %s ends with %d", option, o.Exit))
	}
	file := ""
	for line := range strings.Lines(o.Out + o.Err) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "Dumping ") {
			file = line
		}
		if complaint.MatchString(line) && !nothingWrong.MatchString(line) {
			found = append(found, file+": "+line)
		}
	}
	return found
}
