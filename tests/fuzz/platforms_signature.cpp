// SPDX-License-Identifier: Apache-2.0
// The first byte chooses the format, the rest is the header's value.
#include "actors/platforms/signature_verifier.hpp"
#include "tests/fuzz/check.hpp"

#include <cstdint>
#include <string_view>

using namespace eventweft::platforms;

namespace {

signature_scheme scheme_of(uint8_t choice) {
  signature_scheme s;
  s.header = "x-signature";
  s.base = text_template::parse("{timestamp}.{body}").value();
  s.format = static_cast<header_format>(choice % 6);
  s.algorithm = static_cast<proof_algorithm>(choice / 6 % 5);
  s.encoding = static_cast<digest_encoding>(choice / 30 % 2);
  s.allowed = {proof_algorithm::hmac_sha256, proof_algorithm::hmac_sha512};
  s.prefix = s.format == header_format::pairs ? "v1" : "v1=";
  if (s.format == header_format::pairs) {
    s.time.from = timestamp_rule::origin::signature;
    s.time.name = "t";
  }
  return s;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0)
    return 0;
  const std::string_view value{reinterpret_cast<const char*>(data) + 1,
                               size - 1};
  const auto scheme = scheme_of(data[0]);
  const auto parsed = parse_signature(scheme, value);
  EVENTWEFT_CHECK(parsed.candidates.size() <= max_signatures);
  for (const auto& c : parsed.candidates) {
    EVENTWEFT_CHECK(!c.text.empty());
    EVENTWEFT_CHECK(c.text.data() >= value.data() &&
                    c.text.data() + c.text.size() <=
                        value.data() + value.size());
  }
  eventweft::config::platform_settings settings;
  settings.secrets.push_back("0123456789abcdef0123456789abcdef");
  const auto verifier = signature_verifier::make("x", {scheme}, settings);
  if (!verifier)
    return 0;
  eventweft::webhook w;
  w.method = "POST";
  w.body = eventweft::shared_text{"{}"};
  w.headers.emplace_back("x-signature", value);
  request r{w};
  const bool is_secret =
      value.find(settings.secrets.front()) != std::string_view::npos;
  // Nobody guesses a signature; the secret itself is a valid token.
  EVENTWEFT_CHECK(!verifier->verify(r, eventweft::timestamp{}) || is_secret);
  decode_secret(scheme, value);
  return 0;
}
