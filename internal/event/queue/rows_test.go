package queue_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"testing"
)

// rows are what a queue of SQS is, with the tests of it: here, and below in what
// queues stand on (folders relative to this one).
var rows = map[string][]string{
	"receive, receipt handle": {
		"TestAMessageIsTakenByOneAndDone", "TestReceiptsOfOtherQueuesAndOfNobodyAreRefused", "TestReceiptsAreReadBackAndNoOthersAre",
		"share:TestAReceiptIsGoodForOneDelivery", "lead:TestALeaseIsShownToNobodyBeforeItIsStored",
	},
	"visibility per call, 0 to 12 h": {"TestWhatIsNotAcknowledgedComesBack", "TestLeasesOutliveTheNode", "share:TestALeaseIsStoredWithItsEndAndLoadedAgain"},
	"change visibility":              {"TestNackGivesBackAtOnceOrLater", "share:TestADelayIsAsLongAsIsSaid"},
	"delete": {
		"TestAMessageIsTakenByOneAndDone", "TestALateAcknowledgementCountsWhileNobodyElseHasTheMessage", "TestWhatRetentionShouldHaveTakenIsNotGivenOut",
	},
	"delay per message or queue":      {"TestDelayedMessagesComeInTheirTime", "TestDelayedMessagesGoWithTheirQueue"},
	"maxReceiveCount, 1 to 1000":      {"TestWhatIsTakenTooOftenIsADeadLetter", "TestWhatAQueueCannotBeIsRefused"},
	"dead letters":                    {"TestDeadLettersAreWrittenOnceThroughRestarts", "TestDeadLetterQueuesAreChecked", "TestQueuesSurvivePowerCuts"},
	"redrive, move tasks with a rate": {"TestDeadLettersGoBackToWhereTheyCameFrom", "TestAMoveGoesOnAfterARestartAndMovesEachOnce", "TestAMoveGoesOnAtAnotherNode"},
	"120,000 in flight":               {"share:TestAHundredAndTwentyThousandMayBeOut"},
	"FIFO group, no overtaking":       {"TestNothingOvertakesWithinAGroup", "TestSeveralOfAGroupAreTakenTogether", "TestAGroupWaitsForItsMessageAndNobodyElseDoes"},
	"deduplication, by content too":   {"TestRepeatsWithinFiveMinutesAreDropped", "TestDeduplicationMayBeByGroup", "TestARepeatIsAnsweredWithTheFirst"},
	"fair queues":                     {"TestANoisyGroupDoesNotHoldUpOthers", "share:TestANoisyGroupDoesNotMakeOthersWait", "share:TestALoudGroupGetsATenthWhileOthersWait"},
	"counts, oldest age":              {"TestCountsAreOfCommittedMessages"},
	"FIFO sequence numbers":           {"TestSequencesGrowWithOffsets", "TestNothingOvertakesWithinAGroup"},
	"long poll":                       {"TestALongTakeIsWokenByWhatComes", "TestAQueueOutlivesANodeAndWaitersAtOthersAreWoken"},
	"purge":                           {"TestAPurgeLeavesNothing", "TestDelayedMessagesGoWithTheirQueue"},
	"attempt ids":                     {"TestTheSameAttemptGetsTheSameMessages"},
	"all doors on one queue":          {"TestAllDoorsShareOneQueue", "TestKafkasClientsAndTakersShareATopic", "TestAQueueIsOneAtEveryNode"},
}

// folders are where the tests are whose names have that before a colon.
var folders = map[string]string{"": ".", "share:": "../../share", "lead:": "../../kafka/shares/lead"}

func TestEveryRowHasTests(t *testing.T) {
	there := map[string]bool{}
	for prefix, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", folder, len(files), err)
		}
		for _, name := range files {
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
					there[prefix+fn.Name.Name] = true
				}
			}
		}
	}
	for row, tests := range rows {
		if len(tests) == 0 {
			t.Errorf("%s has no test", row)
		}
		for _, name := range tests {
			if !there[name] {
				t.Errorf("%s: there is no %s", row, name)
			}
		}
	}
}
