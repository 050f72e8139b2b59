package ask

// Version is the release; a build made by hand says dev.
const Version = "0.1.0-dev"

// KafkaRelease is the release whose wire protocol Ottla speaks.
const KafkaRelease = "4.4"
