package doctor

import (
	"fmt"
	"strings"
)

// Status is what a check found.
type Status string

// The statuses, from well to ill. Skipped says that the check could not be
// made, and why.
const (
	OK      Status = "ok"
	Skipped Status = "skipped"
	Warn    Status = "warn"
	Fail    Status = "fail"
)

// Finding is the result of one check; a check may find several things.
type Finding struct {
	Code     string `json:"code"`
	Check    string `json:"check"`
	Status   Status `json:"status"`
	Evidence string `json:"evidence"`
	Fix      string `json:"fix"` // a command or an act; "" when nothing is to be done
}

// Check is one thing that is examined.
type Check struct {
	Code string
	Name string
	Why  string // what it is for, one or two sentences
	run  func(*Facts) []Finding
}

// Checks lists them by code.
func Checks() []Check {
	return []Check{
		{"D01", "addresses", "Every address given with -b must answer as Kafka; a client tries them in turn and stays silent about those that do not.", addresses},
		{"D02", "advertised addresses", "A client asks once at the address it knows and then connects to those that the nodes advertise. One that cannot be reached from here makes clients hang, and is the commonest trouble with Kafka.", advertised},
		{"D03", "answers", "How long a small request takes. Slow answers come from a loaded machine, a slow disk or a far network.", answers},
		{"D04", "controller", "Without a controller topics and settings cannot change and failed leaders are not replaced.", controller},
		{"D05", "leaders", "A partition without a leader can be neither written nor read.", leaders},
		{"D06", "replicas in sync", "A replica out of sync does not count for durability, and the partition may become unavailable when another node fails.", inSync},
		{"D07", "min.insync.replicas", "With fewer replicas in sync than this, records with acks=all are refused; when it is above the number of replicas, always.", minISR},
		{"D08", "log directories", "A log directory that failed takes its partitions with it until the disk is mended.", directories},
		{"D09", "disk", "How full the disks are, and in how many days they will be full at the rate of the last day, counting what retention will delete.", disk},
		{"D10", "descriptors", "A node that runs out of file descriptors refuses connections and cannot open segments.", descriptors},
		{"D11", "memory", "A node whose memory comes near that of the machine is killed by the system.", memory},
		{"D12", "durability", "A topic with durability=memory or replicated loses acknowledged records when the machine loses power; with several replicas that needs all of them to fail.", durability},
		{"D13", "settings that contradict", "Settings of a topic that work against each other, so that one of them does not do what it says.", contradictions},
		{"D14", "settings without effect", "Settings that were set on a topic but do nothing here.", withoutEffect},
		{"D15", "record times", "Records dated in the future keep segments from being deleted in time and confuse look-ups by time; a producer's clock or unit is wrong.", recordTimes},
		{"D16", "open transactions", "A transaction that stays open holds back every reader with read_committed on that partition.", openTransactions},
		{"D17", "groups", "Groups that fall behind without members, that never finish sharing their partitions, or whose offsets point to records that are gone.", groups},
		{"D18", "logs", "A partition whose log cannot be opened, for want of room or of descriptors as a rule, can be neither written nor read. It is tried again by itself.", logs},
		{"D19", "messages that come back", "A message that is taken again and again and never acknowledged costs its takers their time for ever where the queue has no dead letters.", takenAgain},
		{"D20", "dead letters", "Dead letters that came lately tell of something that fails now; a queue for them that is gone makes messages vanish.", deadLetters},
		{"D21", "timers", "Delays of messages, retries and schedules are timers: late ones make all of them late.", lateTimers},
		{"D22", "schedules", "Runs of a schedule whose target is gone, or does not take them, are tried again for a while and then given up.", schedules},
		{"D23", "rules that take nothing", "A rule that takes none of the last events of its bus has a pattern that does not say what was meant, or waits for events that nobody sends.", neverMatched},
		{"D24", "fields that no event has", "A field that rules ask for and no event has is a slip of a name as a rule; the rule, or that alternative of it, takes nothing.", unseenFields},
		{"D25", "buses in a round", "Rules that forward events from bus to bus and back have them go round, until they are given up after 16 buses.", rounds},
		{"D26", "targets without dead letters", "What a target without dead letters does not take is dropped when it is given up.", withoutLetters},
		{"D27", "targets", "A target that fails or is behind has its events wait; one that is disabled gets none.", targets},
	}
}

// Find gives the check of a code, in any case.
func Find(code string) (Check, bool) {
	for _, c := range Checks() {
		if strings.EqualFold(c.Code, code) {
			return c, true
		}
	}
	return Check{}, false
}

// Examine runs every check, or those whose codes are given.
func Examine(f *Facts, codes ...string) []Finding {
	var out []Finding
	for _, c := range Checks() {
		if len(codes) > 0 && !containsFold(codes, c.Code) {
			continue
		}
		found := c.run(f)
		if len(found) == 0 {
			found = []Finding{well("nothing to complain of")}
		}
		for i := range found {
			found[i].Code, found[i].Check = c.Code, c.Name
		}
		out = append(out, found...)
	}
	return out
}

func containsFold(list []string, word string) bool {
	for _, s := range list {
		if strings.EqualFold(s, word) {
			return true
		}
	}
	return false
}

func well(format string, args ...any) Finding {
	return Finding{Status: OK, Evidence: fmt.Sprintf(format, args...)}
}

func skipped(format string, args ...any) Finding {
	return Finding{Status: Skipped, Evidence: fmt.Sprintf(format, args...)}
}

// few shortens a list for people.
func few(all []string) string {
	const most = 5
	if len(all) <= most {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:most], ", "), len(all)-most)
}
