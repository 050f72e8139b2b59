package wire

// OwnFirst is the first key of the requests that nodes of one cluster send
// each other beside Kafka's; their bodies are in package wire/own. Kafka's keys
// end far below. ApiVersions never lists them.
const OwnFirst = 10000

// ownTable lists them by key. All are flexible from the start.
var ownTable = [...]APIInfo{
	{OwnFirst, "Command", 0, 0, 0, onBoth},
	{OwnFirst + 1, "ReplicaProgress", 0, 0, 0, onBroker},
	{OwnFirst + 2, "JoinQuorum", 0, 0, 0, onBoth},
	{OwnFirst + 3, "NodeHeartbeat", 0, 0, 0, onBoth},
	{OwnFirst + 4, "Timers", 0, 0, 0, onBroker},
	{OwnFirst + 5, "QueueTake", 0, 0, 0, onBoth},
	{OwnFirst + 6, "QueueRedeem", 0, 0, 0, onBoth},
	{OwnFirst + 7, "QueueAsk", 0, 0, 0, onBoth},
	{OwnFirst + 8, "QueueContents", 0, 0, 0, onBoth},
	{OwnFirst + 9, "QueueHold", 0, 0, 0, onBoth},
	{OwnFirst + 10, "QueueFirsts", 0, 0, 0, onBoth},
}

// OwnAPIs lists the keys between nodes in order. The slice is shared: not to
// be changed.
func OwnAPIs() []APIInfo { return ownTable[:] }
