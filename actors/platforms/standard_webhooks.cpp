// SPDX-License-Identifier: Apache-2.0
#include "actors/platforms/standard_webhooks.hpp"

namespace eventweft::platforms {

std::vector<signature_scheme> standard_webhooks(std::string_view prefix) {
  const std::string start{prefix};
  signature_scheme v1;
  v1.header = start + "-signature";
  v1.format = header_format::space_list;
  v1.prefix = "v1,";
  v1.encoding = digest_encoding::base64;
  v1.secret = secret_encoding::base64_if_prefixed;
  v1.secret_prefix = "whsec_";
  v1.base = text_template::parse("{header:" + start + "-id}.{header:" + start +
                                 "-timestamp}.{body}")
                .value();
  v1.without_dots.push_back(start + "-id");
  v1.time.from = timestamp_rule::origin::header;
  v1.time.name = start + "-timestamp";

  auto v1a = v1;
  v1a.prefix = "v1a,";
  v1a.algorithm = proof_algorithm::ed25519;
  v1a.secret = secret_encoding::base64_prefixed;
  v1a.secret_prefix = "whpk_";
  return {std::move(v1), std::move(v1a)};
}

signature_scheme bearer_token() {
  signature_scheme s;
  s.header = "authorization";
  s.format = header_format::prefix;
  s.prefix = "Bearer ";
  s.algorithm = proof_algorithm::static_token;
  return s;
}

} // namespace eventweft::platforms
