package cli

import "testing"

// The pages of docs/events that follow each other, as index.md has them, say what
// happens.
func TestTheTutorialSaysWhatHappens(t *testing.T) {
	for _, page := range []string{
		"events/first-event.md", "events/notification-and-state.md", "events/work-queues.md", "events/failures.md", "events/sagas.md",
		"events/sourcing-and-views.md", "events/correlation.md", "events/testing.md", "events/aws-example.md",
	} {
		t.Run(page, func(t *testing.T) { followPage(t, page) })
	}
}
