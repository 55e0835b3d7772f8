// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "auth/principal.hpp"
#include "net/asker.hpp"
#include "net/io_thread.hpp"
#include "net/routes.hpp"
#include "net/types.hpp"

#include <string_view>

namespace eventweft::net {

/// One request with what the session knows about it.
struct api_call {
  const server_context& shared;
  asker& ask;
  const route_match& match;
  std::string_view query;
  const std::string& remote_address;
  /// The body is moved out of it.
  request& req;
  /// Who calls; may do what the route needs. What they get passes through
  /// `auth::visible_to(who)` as well.
  const auth::principal& who;
  /// For the audit trail: what the call was done to. The route's argument,
  /// unless the handler knows better.
  std::string& target;
};

/// Answers everything but streams.
awaitable<response> answer_call(const api_call& call);

/// A filter that is kept, with the threads that those it names are part of by
/// now: stored events have these.
awaitable<expected<filter>> with_present_threads(const api_call& call,
                                                 filter kept);

/// Which threads ids and keys lead to, for who calls (`threads_port::resolve`);
/// nothing where there are no threads.
awaitable<expected<std::vector<std::optional<uuid>>>>
resolve_visible(const api_call& call, std::vector<std::string> which);

/// The event with that id, if the caller may see it; `not_found` otherwise.
awaitable<expected<event_ptr>> find_visible(const api_call& call, uuid id);

/// The header fields with names in lower case.
header_list headers_of(const http::fields& fields);

} // namespace eventweft::net
