// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/dead_letter.hpp"
#include "messages/errors.hpp"
#include "messages/webhook.hpp"
#include "net/backend.hpp"
#include "net/types.hpp"

#include <string>
#include <string_view>

namespace eventweft::net {

inline constexpr std::string_view server_name = "eventweft";

// Responses without what depends on the connection: version, `Connection`,
// `Date` and `Content-Length` are set when they are sent.

response text_answer(int status, std::string_view content_type,
                     std::string body);
response json_answer(int status, std::string body);

/// `application/problem+json`; 429 and 503 come with `Retry-After`.
response problem_answer(int status, const error& e);
response problem_answer(const error& e);

response webhook_response(webhook_answer answer);

// The bodies of lists.
/// `more` tells that there is a page after this one.
std::string dead_letters_json(const std::vector<dead_letter>& letters,
                              bool more, bool bodies);
std::string readiness_json(const readiness& state);

} // namespace eventweft::net
