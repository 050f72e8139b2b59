package controller

import (
	"maps"
	"slices"
	"strings"

	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// AlterConfigs replaces (Incremental false) or edits overrides; the reply is
// []Result, one per resource, in order. A resource changes whole or not at all.
type AlterConfigs struct {
	Resources    []AlterResource
	Incremental  bool
	ValidateOnly bool
}

// AlterResource is one resource's changes, by metadata's resource types.
type AlterResource struct {
	Type    int8
	Name    string
	Entries []AlterEntry
}

// Op of IncrementalAlterConfigs.
type Op int8

// The ops, by Kafka's numbers (KIP-339). Append and subtract are for lists.
const (
	OpSet Op = iota
	OpDelete
	OpAppend
	OpSubtract
)

var opNames = [...]string{OpSet: "SET", OpDelete: "DELETE", OpAppend: "APPEND", OpSubtract: "SUBTRACT"}

// AlterEntry is one setting's change.
type AlterEntry struct {
	Name  string
	Op    Op
	Value *string
	// Base is the effective value that append and subtract start from when
	// the resource has no override of its own; the door fills it in.
	Base string
}

// maxConfigValue is the longest value that is kept (Kafka's bound).
const maxConfigValue = 32767

func (c *Controller) alterConfigs(cmd AlterConfigs) ([]metadata.Record, any, error) {
	named := make(map[metadata.Resource]int)
	for i := range cmd.Resources {
		named[metadata.Resource{Type: cmd.Resources[i].Type, Name: cmd.Resources[i].Name}]++
	}
	var records []metadata.Record
	reply := make([]Result, 0, len(cmd.Resources))
	for i := range cmd.Resources {
		r := &cmd.Resources[i]
		var changed []metadata.Record
		err := wire.Errorf(wire.InvalidRequest, "Each resource must appear at most once.")
		if named[metadata.Resource{Type: r.Type, Name: r.Name}] == 1 {
			changed, err = c.alterResource(r, cmd.Incremental)
		}
		records = append(records, changed...)
		reply = append(reply, resultOf(err))
	}
	if cmd.ValidateOnly {
		return nil, reply, nil
	}
	return append(records, c.followConfigs(records)...), reply, nil
}

// alterResource gives one resource's CONFIG records, by name of the setting.
func (c *Controller) alterResource(r *AlterResource, incremental bool) ([]metadata.Record, error) {
	if err := checkEntries(r, incremental); err != nil {
		return nil, err
	}
	if err := c.checkResource(r, incremental); err != nil {
		return nil, err
	}
	if err := c.checkMinInsync(r, incremental); err != nil {
		return nil, err
	}
	had := c.image().Config(r.Type, r.Name)
	has := make(map[string]string, len(had))
	if incremental {
		maps.Copy(has, had)
	}
	for i := range r.Entries {
		if err := kinds[r.Type].alter(&r.Entries[i], incremental, has); err != nil {
			return nil, err
		}
	}
	return configRecords(r, had, has), nil
}

// checkEntries applies the rules of form: each setting once, a value where the
// op needs one.
func checkEntries(r *AlterResource, incremental bool) error {
	seen := make(map[string]bool, len(r.Entries))
	for i := range r.Entries {
		e := &r.Entries[i]
		switch {
		case seen[e.Name]:
			return wire.Errorf(wire.InvalidRequest, "Error due to duplicate config keys")
		case incremental && (e.Op < OpSet || e.Op > OpSubtract):
			return wire.Errorf(wire.InvalidRequest, "Unknown operation type %d for config %s", e.Op, e.Name)
		case e.Value == nil && !(incremental && e.Op == OpDelete):
			return wire.Errorf(wire.InvalidRequest, "Null value not supported for : %s", e.Name)
		}
		seen[e.Name] = true
	}
	return nil
}

// alter applies one entry to the overrides that the resource shall have.
func (k kind) alter(e *AlterEntry, incremental bool, has map[string]string) error {
	if incremental && e.Op == OpDelete {
		// What is no longer known, or no longer allowed, can still be deleted.
		delete(has, e.Name)
		return nil
	}
	def, err := k.settingOf(e.Name)
	if err != nil {
		return err
	}
	value := *e.Value
	if incremental && e.Op != OpSet {
		if def.Type != "list" {
			return wire.Errorf(wire.InvalidConfig, "Can't %s to key %s because its type is not LIST.", opNames[e.Op], e.Name)
		}
		from, ok := has[e.Name]
		if !ok {
			from = e.Base
		}
		value = editList(from, value, e.Op)
	}
	if value, err = k.check(def, value); err != nil {
		return err
	}
	has[e.Name] = value
	return nil
}

// editList adds the elements of a comma-separated list that are not there yet,
// or takes them out.
func editList(from, edit string, op Op) string {
	list := splitList(from)
	for _, element := range splitList(edit) {
		at := slices.Index(list, element)
		switch {
		case op == OpAppend && at < 0:
			list = append(list, element)
		case op == OpSubtract && at >= 0:
			list = slices.Delete(list, at, at+1)
		}
	}
	return strings.Join(list, ",")
}

func splitList(s string) []string {
	var list []string
	for element := range strings.SplitSeq(s, ",") {
		if element = strings.TrimSpace(element); element != "" {
			list = append(list, element)
		}
	}
	return list
}

// configRecords are what turns had into has.
func configRecords(r *AlterResource, had, has map[string]string) []metadata.Record {
	names := make(map[string]bool, len(had)+len(has))
	for name := range had {
		names[name] = true
	}
	for name := range has {
		names[name] = true
	}
	var records []metadata.Record
	for _, name := range slices.Sorted(maps.Keys(names)) {
		was, before := had[name]
		is, after := has[name]
		if before == after && was == is {
			continue
		}
		record := &metadata.ConfigRecord{ResourceType: r.Type, ResourceName: r.Name, Name: name}
		if after {
			record.Value = &is
		}
		records = append(records, record)
	}
	return records
}
