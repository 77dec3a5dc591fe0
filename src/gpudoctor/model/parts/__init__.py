"""Parts of the facts that fill a file each: the host, the drivers of other vendors, binaries."""
