// SPDX-License-Identifier: Apache-2.0
#include "bench/webhooks.hpp"

#include "bench/basics.hpp"
#include "bench/process.hpp"
#include "bench/servers.hpp"
#include "bench/wire.hpp"
#include "crypto/digest.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <cstdio>

namespace eventweft::bench {

std::vector<webhook_example>
load_examples(const std::filesystem::path& index_json) {
  const auto text = read_file(index_json);
  if (text.empty())
    throw bench_error("no example payloads in " + index_json.string());
  const auto document = boost::json::parse(text);
  std::vector<webhook_example> result;
  for (const auto& entry : document.as_array())
    for (const auto& example : entry.at("examples").as_array())
      result.push_back(sign_webhook(std::string{entry.at("name").as_string()},
                                    boost::json::serialize(example)));
  return result;
}

webhook_example sign_webhook(std::string event, std::string body) {
  const std::array<std::string_view, 1> parts{body};
  auto signature =
      "sha256=" +
      crypto::to_hex(crypto::hmac(crypto::hash::sha256, webhook_secret, parts));
  return {std::move(event), std::move(body), std::move(signature)};
}

void append_request(std::string& out, const webhook_example& hook,
                    uint32_t salt, uint64_t n) {
  char delivery[40];
  std::snprintf(delivery, sizeof delivery, "%08x-0000-4000-8000-%012llx", salt,
                static_cast<unsigned long long>(n));
  out += "POST /github/events HTTP/1.1\r\nHost: bench\r\n"
         "User-Agent: GitHub-Hookshot/bench\r\n"
         "Content-Type: application/json\r\nX-GitHub-Event: ";
  out += hook.event;
  out += "\r\nX-GitHub-Delivery: ";
  out += delivery;
  out += "\r\nX-Hub-Signature-256: ";
  out += hook.signature;
  out += "\r\nContent-Length: ";
  out += std::to_string(hook.body.size());
  out += "\r\n\r\n";
  out += hook.body;
}

webhook_example tagged_webhook(uint64_t n) {
  return sign_webhook("ping",
                      R"({"zen":"Speak like a human.","hook_id":1,"n":")" +
                          tag_text(n) + "\"}");
}

} // namespace eventweft::bench
