package bus

import "fmt"

// CheckBus tells what is wrong with what a bus is told to be, by itself: whether what it
// names is there is not asked.
func CheckBus(ref Ref, spec Spec) error { return spec.check(ref) }

// CheckArchive is CheckBus of an archive.
func CheckArchive(spec ArchiveSpec) error { return spec.check() }

// CheckRule is CheckBus of a rule with its targets.
func CheckRule(ref RuleRef, spec RuleSpec, targets []Target) error {
	ref = RuleRefOf(ref.Full())
	if err := checkName(ref.Full()); err != nil {
		return err
	}
	if err := spec.check(); err != nil {
		return err
	}
	for i := range targets {
		t := targets[i].clone()
		if err := t.check(ref); err != nil {
			return fmt.Errorf("target %s: %w", t.ID, err)
		}
	}
	return nil
}
