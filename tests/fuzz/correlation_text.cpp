// SPDX-License-Identifier: Apache-2.0
// Whatever the text: what the scanner finds lies inside it, has a canonical
// key, and is the same whether or not its team is known. The first byte picks
// the markup.
#include "correlation/custom_rule.hpp"
#include "correlation/text_scanner.hpp"
#include "correlation/url_reference.hpp"
#include "tests/fuzz/check.hpp"

using namespace eventweft;
using namespace eventweft::correlation;

namespace {

void check(std::string_view text, const std::vector<reference>& found) {
  for (const auto& r : found) {
    EVENTWEFT_CHECK(!r.key.empty());
    EVENTWEFT_CHECK(r.at + r.matched.size() <= text.size());
    EVENTWEFT_CHECK(r.to != correlation_noun::none);
    EVENTWEFT_CHECK(r.or_issue.empty() || r.to == correlation_noun::pr);
    for (char c : r.key)
      EVENTWEFT_CHECK(static_cast<unsigned char>(c) >= 0x20);
    for (auto source : {text_source::github, text_source::chat}) {
      const auto sure = confidence_of(r, source);
      EVENTWEFT_CHECK(sure >= 0 && sure <= 1);
    }
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0)
    return 0;
  const auto text = as_text(data + 1, size - 1);
  vocabulary known;
  known.learn_team("ENG");
  scan_options options;
  options.how = static_cast<markup>(data[0] % 3);
  options.repo = *repository_of("octo/repo");
  std::vector<reference> without;
  scan_text(text, options, without);
  check(text, without);
  options.known = &known;
  std::vector<reference> with;
  scan_text(text, options, with);
  EVENTWEFT_CHECK(with.size() == without.size());
  for (size_t i = 0; i < with.size(); ++i) {
    EVENTWEFT_CHECK(with[i].key == without[i].key);
    EVENTWEFT_CHECK(with[i].rel == without[i].rel);
  }
  std::vector<reference> in_branch;
  scan_branch(text, options, in_branch);
  check(text, in_branch);
  if (const auto url = read_url(text))
    for (const auto& k : url->keys)
      EVENTWEFT_CHECK(!k.key.empty());
  if (const auto key = normalise_key(text)) {
    EVENTWEFT_CHECK(!key->empty());
    EVENTWEFT_CHECK(normalise_key(*key) == *key);
  }
  return 0;
}
