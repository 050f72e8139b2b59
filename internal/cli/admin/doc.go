// Package admin is the commands for whoever runs a cluster: cluster, doctor and explain.
// What nodes hold, what is wrong and what words mean is found out by the packages nodes,
// doctor and explain; where replicas shall lie is planned by balance, and moves carries it
// out.
//
// Reading order: cluster.go (the overview, nodes, partitions), cluster_dirs.go,
// cluster_features.go, cluster_move.go (balance, drain, replace), cluster_spread.go,
// cluster_remove.go; doctor.go, doctor_durability.go, doctor_events.go; explain.go (errors,
// settings, checks, groups), explain_partition.go, explain_txn.go.
package admin
