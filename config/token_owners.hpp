// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace eventweft::config {

/// Whose tokens `redact_tokens` can name. What their tokens look like is in
/// `actors/platforms/token_shapes.cpp`.
inline constexpr auto token_owners = std::to_array<std::string_view>(
    {"age",         "anthropic",    "atlassian",   "aws",      "cloudflare",
     "databricks",  "digitalocean", "discord",     "docker",   "doppler",
     "figma",       "github",       "gitlab",      "google",   "grafana",
     "groq",        "hashicorp",    "huggingface", "jwt",      "linear",
     "newrelic",    "notion",       "npm",         "openai",   "perplexity",
     "planetscale", "postman",      "private_key", "pulumi",   "pypi",
     "replicate",   "rubygems",     "sendgrid",    "sentry",   "shopify",
     "slack",       "square",       "stripe",      "supabase", "telegram",
     "twilio",      "vercel",       "xai"});

/// All of them and "all", as `key::choices` are written.
inline constexpr auto token_owner_text = [] {
  constexpr size_t length = [] {
    size_t sum = 3;
    for (auto owner : token_owners)
      sum += owner.size() + 1;
    return sum;
  }();
  std::array<char, length> out{};
  auto* end = out.data();
  for (auto owner : token_owners) {
    end = std::copy(owner.begin(), owner.end(), end);
    *end++ = '|';
  }
  std::copy_n("all", 3, end);
  return out;
}();
inline constexpr std::string_view token_owner_choices{token_owner_text.data(),
                                                      token_owner_text.size()};

} // namespace eventweft::config
