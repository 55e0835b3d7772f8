// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace eventweft::bench {

/// A GitHub webhook, signed beforehand: the signature covers the body alone.
struct webhook_example {
  std::string event;
  std::string body;
  std::string signature;
};

/// Octokit's example payloads as GitHub would send them.
std::vector<webhook_example>
load_examples(const std::filesystem::path& index_json);

webhook_example sign_webhook(std::string event, std::string body);

/// Appends the HTTP request that posts `hook` as delivery number `n` of the
/// run `salt`, which must differ between runs on one store.
void append_request(std::string& out, const webhook_example& hook,
                    uint32_t salt, uint64_t n);

/// A `ping` whose event is about 500 bytes on the wire and carries `n` where
/// `read_tag` finds it.
webhook_example tagged_webhook(uint64_t n);

} // namespace eventweft::bench
