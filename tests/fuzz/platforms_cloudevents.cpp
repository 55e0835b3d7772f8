// SPDX-License-Identifier: Apache-2.0
// The whole as structured JSON; its lines as headers of a binary event.
#include "codec/cloudevents.hpp"
#include "codec/json_spans.hpp"
#include "codec/json_text.hpp"
#include "codec/payload.hpp"
#include "tests/fuzz/check.hpp"

#include <cstdint>
#include <string_view>

using namespace eventweft;

namespace {

void check(const codec::cloudevent& ce, bool data_is_checked) {
  EVENTWEFT_CHECK(!ce.id.empty() && !ce.source.empty() && !ce.type.empty());
  for (const auto* text : {&ce.id, &ce.source, &ce.type, &ce.subject})
    EVENTWEFT_CHECK(codec::is_utf8(*text));
  codec::payload_reader reader;
  for (const auto& [name, json] : ce.attributes)
    EVENTWEFT_CHECK(reader.parse(json).has_value());
  EVENTWEFT_CHECK(!data_is_checked || reader.parse(ce.data.view()));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  // Also texts that are not JSON must do no harm.
  codec::json_places(text, "/data");
  codec::json_places(text, "/*/*");
  codec::payload_reader reader;
  if (const auto root = reader.parse(text))
    if (const auto ce = codec::read_structured_cloudevent(*root, text))
      check(*ce, true);

  header_list headers;
  auto rest = text;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const auto line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty())
      break;
    const auto colon = std::min(line.find(": "), line.size());
    headers.emplace_back(line.substr(0, colon),
                         line.substr(std::min(colon + 2, line.size())));
  }
  codec::cloudevents_mode_of(headers);
  if (const auto ce = codec::read_binary_cloudevent(
          headers, shared_text{std::string{rest}}))
    check(*ce, false);
  return 0;
}
