// Package controller is the cluster's state machine: which topics, partitions,
// brokers, settings, features and producer ids there are, and what a request
// to change them does. It is pure: Step turns a command into metadata records
// and a reply, Apply changes the state by one accepted record, and nothing
// else does. No clock, lock, goroutine, file or socket, no source of chance
// but Options.NewID, and no effect of the order of a map.
//
// It is not for running itself: package quorum keeps the order (step, accept
// into the log, apply, reply when committed) and resets it when accepted
// records are lost. It is not for the wire: the doors translate requests to
// commands, check rights, and fill in what only they know (the defaults of the
// broker that was asked).
//
// # Main types
//
//   - Controller: the machine. Options: what it needs from outside.
//   - One type per command (CreateTopics, AlterConfigs, RegisterBroker, …),
//     each with the type of its reply in its comment.
//   - Result: the outcome of one item of a command that has many.
//   - Reason: one change of a partition and why it was made.
//
// # Files, in reading order
//
//	controller.go         Controller, Step, Apply, Reset, Result
//	topic_create.go       CreateTopics
//	topic_defaults.go     how many replicas a topic gets that says no number
//	topic_name.go         what a topic may be called; metric collisions
//	placement.go          which brokers get the replicas of new partitions
//	assignment.go         replicas given by hand
//	topic_delete.go       DeleteTopics
//	topic_partitions.go   CreatePartitions
//	config_alter.go       AlterConfigs, full and incremental
//	config_check.go       which settings a resource may have
//	broker_register.go    RegisterBroker, AdmitNode, UnregisterBroker,
//	                      UnregisterController
//	broker_state.go       UnfenceBroker, FenceBroker, ShutdownBroker
//	directories.go        log directories: FailDirectories, CordonDirectories,
//	                      AssignDirectories; which one a new replica gets
//	leaders.go            who leads when a broker comes or goes, or a setting
//	                      that decides it changes
//	alter_partition.go    AlterPartition: leaders tell who is in sync
//	renew.go              RenewReplicas: those that are damaged; SettleEnd: those
//	                      that may be; YieldLeads: those that have no room
//	elect_leaders.go      ElectLeaders, Rebalance
//	reassign.go           ReassignPartitions
//	features.go           Bootstrap, UpdateFeatures
//	producer_ids.go       AllocateProducerIDs
//	reasons.go            Reason, ExplainPartition, ExplainLosses
//
// Package election, below it, decides what becomes of one partition.
//
// # Invariants
//
//   - Step changes nothing: two calls in a row with the same command give the
//     same records (but for ids drawn from NewID).
//   - The records of a Step fit the state it saw: Apply cannot fail on them.
//   - Broker epochs rise for ever: an epoch is the offset that the registration
//     record will have, or less where the log holds records that are not
//     metadata, and never less than any given before. The machine counts it as
//     the offset of the image it was reset to and one for each record since,
//     so nothing but the registration itself need be stored.
//   - A leader epoch rises with every change of leader and with every
//     incarnation of the leader.
//   - With other nodes registered a fenced or stopping broker leads nothing and
//     is in no ISR that has another member; a node alone keeps both.
//   - Reasons are soft: what Step notes for them (its time, its command) no
//     decision reads.
//
// # Sources
//
// KIP-631 (controller), KIP-455 and KIP-460 (elections), KIP-584 (features),
// KIP-339 and KIP-226 (configs), KIP-730 (producer ids), KIP-858 (directories),
// KIP-497, KIP-841 and KIP-903 (AlterPartition), KIP-966 (eligible leaders).
package controller
