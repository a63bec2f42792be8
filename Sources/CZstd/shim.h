// For ZSTD_c_literalCompressionMode, a parameter that the library takes at run time; no symbol of
// the static interface is used.
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
