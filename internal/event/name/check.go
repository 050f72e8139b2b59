package name

import (
	"fmt"
	"strings"
)

// mostOf is how long names may be, by kind, in characters.
var mostOf = map[Kind]int{
	Queue: 80, Schedule: 64, ScheduleGroup: 64, Bus: 256, Rule: 64, Topic: 249, System: 80,
	Archive: 48, Replay: 64, Connection: 64, Destination: 64, SNS: 256, Subscription: 64, Function: 140, Mapping: 200,
}

// owners are the kinds whose objects are another's: what that is, and its name
// stands before theirs. A bus's name may have "/" in it, a rule's has none.
var owners = map[Kind]Kind{Schedule: ScheduleGroup, Rule: Bus, Subscription: SNS}

// Split parts the name of an object that is another's: BUS/NAME, GROUP/NAME,
// SNS-TOPIC/ID.
func Split(name string) (owner, own string, ok bool) {
	i := strings.LastIndexByte(name, '/')
	if i < 0 {
		return "", name, false
	}
	return name[:i], name[i+1:], true
}

// FIFOSuffix ends the name of every FIFO queue and FIFO SNS topic, and of no other.
const FIFOSuffix = ".fifo"

// Check tells what is wrong with a name of a kind.
func Check(kind Kind, name string) error {
	most, known := mostOf[kind]
	if !known {
		return fmt.Errorf("%q is no kind of object", kind)
	}
	if of, owned := owners[kind]; owned {
		owner, own, ok := Split(name)
		if !ok {
			return fmt.Errorf("%s %q: want OWNER/NAME", kind, name)
		}
		if err := Check(of, owner); err != nil {
			return err
		}
		name = own
	}
	if name == "" || len(name) > most {
		return fmt.Errorf("the name %q of a %s has %d characters; 1 to %d are possible", name, kind, len(name), most)
	}
	if name == "." || name == ".." {
		return fmt.Errorf("the name %q of a %s cannot be: paths have steps of that name", name, kind)
	}
	bare := name
	if kind == Queue || kind == SNS {
		bare = strings.TrimSuffix(name, FIFOSuffix)
	}
	for i := range len(bare) {
		if !allowed(kind, bare[i]) {
			return fmt.Errorf("the name %q of a %s has %q in it; letters, digits, - and _ are possible%s", name, kind, bare[i], more(kind))
		}
	}
	if bare == "" {
		return fmt.Errorf("the name %q of a %s has nothing before %s", name, kind, FIFOSuffix)
	}
	return nil
}

func allowed(kind Kind, c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		return true
	case c == '.':
		return kind != Queue && kind != SNS && kind != Function
	case c == '/':
		return kind == Bus
	}
	return false
}

func more(kind Kind) string {
	switch kind {
	case Queue:
		return ", and " + FIFOSuffix + " at the end of a FIFO queue's"
	case SNS:
		return ", and " + FIFOSuffix + " at the end of a FIFO topic's"
	case Function:
		return ""
	case Bus:
		return ", . and / too"
	}
	return ", . too"
}

// CheckGroup tells what is wrong with a message group or a deduplication id that is
// given: SQS and SNS take 1 to 128 letters, digits and marks.
func CheckGroup(id string) error {
	if id == "" || len(id) > 128 || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return fmt.Errorf("%.140q is not 1 to 128 letters, digits and marks of ASCII", id)
	}
	return nil
}

// CheckPlace tells what is wrong with an account and a region.
func CheckPlace(account, region string) error {
	if len(account) != 12 || strings.Trim(account, "0123456789") != "" {
		return fmt.Errorf("the account %q is not twelve digits", account)
	}
	if region == "" || len(region) > 32 || strings.Trim(region, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return fmt.Errorf("the region %q is not lower-case letters, digits and -, 1 to 32 of them", region)
	}
	return nil
}
