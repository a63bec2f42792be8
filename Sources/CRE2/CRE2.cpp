#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // memmem
#endif
#include "CRE2.h"

#include <re2/re2.h>

#include <cstring>
#include <new>

struct cre2_pattern {
  RE2 compiled;
  cre2_pattern(const re2::StringPiece &text, const RE2::Options &options)
      : compiled(text, options) {}
};

extern "C" {

cre2_pattern *cre2_compile(const char *bytes, size_t count, int64_t memory_bytes_max) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  options.set_max_mem(memory_bytes_max);
  return new (std::nothrow) cre2_pattern(re2::StringPiece(bytes, count), options);
}

void cre2_free(cre2_pattern *pattern) { delete pattern; }

const char *cre2_fault(const cre2_pattern *pattern) {
  return pattern->compiled.ok() ? nullptr : pattern->compiled.error().c_str();
}

bool cre2_matches(const cre2_pattern *pattern, const char *bytes, size_t count) {
  return pattern->compiled.Match(re2::StringPiece(bytes, count), 0, count, RE2::UNANCHORED,
                                 nullptr, 0);
}

bool cre2_contains(const void *text, size_t text_count, const void *bytes, size_t count) {
  return count == 0 || memmem(text, text_count, bytes, count) != nullptr;
}

}  // extern "C"
