package sockcall

import "runtime"

// most bounds how much one call copies: about 50 µs worth of it.
const most = 256 << 10

// wraps says that Wrap wraps: with the usual calls nothing would be won by it.
const wraps = runtime.GOOS == "linux"
