// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/platforms/base_platform.hpp"
#include "actors/platforms/platform.hpp"
#include "messages/time.hpp"
#include "messages/uuid.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace eventweft::platforms {

/// 2026-01-31T12:00:00Z; signed vectors with a time are made for it.
inline constexpr int64_t test_seconds = 1'769'860'800;

inline timestamp test_now() {
  return timestamp{std::chrono::seconds{test_seconds}};
}

/// A clock that stands and numbers that repeat, for one platform.
class platform_test : public ::testing::Test {
 protected:
  manual_clock clock_{test_now()};
  seeded_random random_{7};

  platform_parts parts(config::platform_settings settings = {}) {
    return {std::move(settings), clock_, random_};
  }

  static config::platform_settings secret(std::string text) {
    config::platform_settings s;
    s.secrets.push_back(std::move(text));
    return s;
  }

  static config::platform_settings unsigned_allowed() {
    config::platform_settings s;
    s.allow_unsigned = true;
    return s;
  }

  /// A POST of JSON; more headers replace those of the same name.
  static webhook post(std::string body, const header_list& headers = {}) {
    webhook w;
    w.method = "POST";
    w.body = shared_text{std::move(body)};
    w.headers.emplace_back("content-type", "application/json");
    for (const auto& [name, value] : headers) {
      std::erase_if(w.headers, [&](const auto& h) { return h.first == name; });
      w.headers.emplace_back(name, value);
    }
    return w;
  }

  static webhook without(webhook w, std::string_view header) {
    std::erase_if(w.headers, [&](const auto& h) { return h.first == header; });
    return w;
  }

  /// Refused with this code, and with a sentence that holds `text`.
  static ::testing::AssertionResult refused(const expected<acceptance>& result,
                                            ec code, std::string_view text) {
    if (result)
      return ::testing::AssertionFailure() << "it was accepted";
    if (result.error().code != code)
      return ::testing::AssertionFailure() << to_string(result.error());
    if (result.error().message.find(text) == std::string::npos)
      return ::testing::AssertionFailure()
             << "\"" << result.error().message << "\" does not say \"" << text
             << "\"";
    return ::testing::AssertionSuccess();
  }

  /// The one event of an acceptance; fails the test if there is none.
  static event only(const expected<acceptance>& result) {
    if (!result) {
      ADD_FAILURE() << to_string(result.error());
      return {};
    }
    if (result->events.size() != 1) {
      ADD_FAILURE() << result->events.size() << " events";
      return {};
    }
    return result->events.front();
  }
};

} // namespace eventweft::platforms
