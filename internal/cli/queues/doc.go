// Package queues is the commands of queues, schedules and dead letters: queue, schedule
// and dlq. Each asks a node's native doors (package ask) and shows what they tell; letters
// of share groups are read and put back by package dlq, over Kafka's port.
//
// Reading order: queue.go, queue_change.go, queue_messages.go (sending, taking,
// answering), queue_move.go; explain_queue.go and verdict.go (Note: in words why messages
// are not taken, from what a node tells; it asks nobody and prints nothing); schedule.go,
// schedule_put.go; dlq.go (places where letters are), dlq_place.go (one place by its name),
// dlq_show.go, dlq_edit.go, dlq_redrive.go, dlq_move.go (moves of queues).
package queues
