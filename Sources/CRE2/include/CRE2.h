// RE2 and a linear search for bytes, as plain C, so that Swift needs no C++ of its own.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cre2_pattern cre2_pattern;

// Compiles a pattern over UTF-8; null only where there is no memory. Free it, sound or not.
cre2_pattern *cre2_compile(const char *bytes, size_t count, int64_t memory_bytes_max);
void cre2_free(cre2_pattern *pattern);

// Why the pattern is none; null where it is sound. Lives as long as the pattern.
const char *cre2_fault(const cre2_pattern *pattern);

// Whether the pattern matches anywhere in the bytes. Linear in them; any number of threads may ask.
bool cre2_matches(const cre2_pattern *pattern, const char *bytes, size_t count);

// Whether the bytes stand anywhere in the text. Linear in both.
bool cre2_contains(const void *text, size_t text_count, const void *bytes, size_t count);

#ifdef __cplusplus
}
#endif
