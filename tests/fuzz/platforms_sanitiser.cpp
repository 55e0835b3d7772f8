// SPDX-License-Identifier: Apache-2.0
// The first line is a JSON pointer, the rest a payload: what is sanitised is
// JSON still, and has nothing more where the pointer leads. Tokens are found
// however a string is escaped.
#include "actors/platforms/sanitiser.hpp"
#include "codec/json_text.hpp"
#include "codec/payload.hpp"
#include "messages/json_pointer.hpp"
#include "tests/fuzz/check.hpp"

#include <cstdint>
#include <string_view>

using namespace eventweft;

namespace {

std::string escaped_throughout(std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80)
      out.push_back(c);
    else
      out.append("\\u00").append(1, hex[byte >> 4]).append(1, hex[byte & 15]);
  }
  return out + '"';
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto line = std::min(text.find('\n'), text.size());
  const auto json = text.substr(std::min(line + 1, text.size()));
  config::platform_settings settings;
  if (auto pointer = "/" + std::string{text.substr(0, line)};
      is_json_pointer(pointer))
    settings.redact.push_back(std::move(pointer));
  settings.redact_tokens.push_back("all");
  const auto clean = platforms::sanitiser::make(settings, "x").value();
  if (codec::is_utf8(json))
    EVENTWEFT_CHECK(clean.shapes(codec::quoted(json)).has_value() ==
                    clean.shapes(escaped_throughout(json)).has_value());
  codec::payload_reader reader;
  if (!reader.parse(json))
    return 0;
  const auto out = clean.apply(json);
  if (!out)
    return 0;
  EVENTWEFT_CHECK(!out->notes.empty());
  EVENTWEFT_CHECK(reader.parse(out->text).has_value());
  EVENTWEFT_CHECK(!clean.pointers(out->text));
  const auto metadata = platforms::with_redactions("{}", out->notes);
  EVENTWEFT_CHECK(reader.parse(metadata).has_value());
  return 0;
}
