// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/cli/http_client.hpp"
#include "messages/errors.hpp"
#include "messages/time.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace eventweft::cli {

/// One webhook as its platform would send it.
struct webhook_draft {
  std::string platform;
  /// As in `send_options`.
  std::string type;
  std::string body;
  /// Empty: the webhook goes unsigned.
  std::string secret;
  /// The platform's id of this delivery.
  std::string delivery;
  std::string content_type = "application/json";
  /// Puts the delivery's id and time into the payload where the platform has
  /// them there.
  bool refresh_payload = true;
};

/// Path, headers and body, signed over the very bytes of the body: as the
/// platform's definition says for those that are shipped, as Standard Webhooks
/// say for those that nobody here knows.
/// `bad_configuration` if something is missing.
expected<http_request> make_webhook(webhook_draft draft, timestamp now);

/// `json` with `raw` (a JSON text) in place of the string or number that is
/// the member `name` of its root; nothing if there is no such member.
std::optional<std::string> with_member(const std::string& json,
                                       std::string_view name,
                                       std::string_view raw);

/// A payload of our own in the shape of the platform's; empty if there is none
/// for this type. An empty type is the platform's first sample.
std::string_view sample_payload(std::string_view platform,
                                std::string_view type) noexcept;

/// The types that `sample_payload` knows, "pull_request, issues, …".
std::string sample_types(std::string_view platform);

/// The type that a platform's first sample has.
std::string_view default_type(std::string_view platform) noexcept;

} // namespace eventweft::cli
