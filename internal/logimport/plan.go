package logimport

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/layout"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
)

// planned is a partition of the metadata, and where its files lie.
type planned struct {
	*metadata.Partition
	topic *metadata.Topic
	name  string  // TOPIC-N
	from  *source // nil: nowhere, it begins empty
}

// makePlan finds the files of every partition. What the metadata do not know is
// left behind and listed.
func (r *run) makePlan() error {
	used := map[string]bool{}
	for t := range r.image.Topics() {
		r.result.Topics++
		for _, p := range t.Partitions {
			pl := &planned{Partition: p, topic: t, name: layout.DirName(t.Name, p.Index)}
			if err := r.place(pl); err != nil {
				return err
			}
			if pl.from != nil {
				used[pl.from.path+"/"+pl.name] = true
			}
			r.plan = append(r.plan, pl)
		}
	}
	for _, s := range r.src {
		for name := range s.partitions {
			if full := s.path + "/" + name; !used[full] && name != metadataDir {
				r.result.Skipped = append(r.result.Skipped, full)
			}
		}
	}
	slices.Sort(r.result.Skipped)
	return nil
}

func (r *run) place(pl *planned) error {
	for _, s := range r.src {
		if !s.partitions[pl.name] {
			continue
		}
		id, err := r.topicID(s, pl.name)
		if err != nil {
			return err
		}
		if !id.IsZero() && id != pl.topic.ID {
			continue // of a deleted topic that had this name
		}
		if pl.from != nil {
			return &Refused{Path: s.path + "/" + pl.name, Reason: "lies in " + pl.from.path + " as well", Advice: "Move the one away that is not wanted."}
		}
		pl.from = s
	}
	if pl.from != nil || r.o.Partial {
		return nil
	}
	i := slices.Index(pl.Replicas, r.result.NodeID)
	if i < 0 {
		return &Refused{Path: pl.name, Reason: fmt.Sprintf("has no replica on node %d, whose directories were named (replicas: %v)", r.result.NodeID, pl.Replicas),
			Advice: "Move all partitions to one node first (kafka-reassign-partitions), or take what is here and the rest empty with --partial."}
	}
	if i < len(pl.Directories) && r.elsewhere(pl.Directories[i]) {
		return &Refused{Path: pl.name, Reason: "lies in the log directory " + pl.Directories[i].String() + ", which was not named",
			Advice: "Name all of Kafka's log.dirs, or take it empty with --partial."}
	}
	return nil // Kafka made the topic and not yet the directory: it is empty
}

// elsewhere tells whether a directory id names a real directory that is not
// among the sources.
func (r *run) elsewhere(id uuid.UUID) bool {
	for _, b := range id[:15] {
		if b != 0 { // ids below 100 are reserved (KIP-858)
			return !slices.ContainsFunc(r.src, func(s *source) bool { return s.directoryID == id.String() })
		}
	}
	return false
}

// topicID reads partition.metadata, zero when there is none.
func (r *run) topicID(s *source, name string) (uuid.UUID, error) {
	file := s.path + "/" + name + "/" + checkpoint.PartitionMeta
	b, err := checkpoint.Read(r.o.FS, file)
	if errors.Is(err, fs.ErrNotExist) {
		return uuid.UUID{}, nil
	}
	var id uuid.UUID
	if err == nil {
		id, err = checkpoint.ParseMetadata(b)
	}
	if err != nil {
		return id, &Refused{Path: file, Reason: "cannot be read", Advice: "Restore it, or remove it where the directory is the topic's by its name.", Cause: err}
	}
	return id, nil
}
