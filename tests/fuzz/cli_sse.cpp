// SPDX-License-Identifier: Apache-2.0
// However a stream is cut into pieces, the same messages come out of it.
#include "app/cli/sse_parser.hpp"
#include "tests/fuzz/check.hpp"

#include <string>

using namespace eventweft;

namespace {

std::string digest(std::string_view text, size_t piece) {
  cli::sse_parser parser{4'096};
  std::string all;
  while (!text.empty()) {
    const bool more = parser.feed(text.substr(0, piece), [&](const auto& m) {
      all.append(m.event).append("|").append(m.data).append("\n");
      return true;
    });
    if (!more)
      break;
    text.remove_prefix(std::min(piece, text.size()));
  }
  return all + parser.last_event_id() + (parser.overflowed() ? "!" : ".");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto text = as_text(data, size);
  const auto whole = digest(text, size + 1);
  EVENTWEFT_CHECK(digest(text, 1) == whole);
  EVENTWEFT_CHECK(digest(text, 7) == whole);
  return 0;
}
