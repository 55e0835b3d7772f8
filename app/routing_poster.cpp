// SPDX-License-Identifier: Apache-2.0
#include "app/routing_poster.hpp"

namespace eventweft {

namespace {

/// "http" for "https://…" as well.
std::string_view scheme_of(std::string_view url) {
  const auto scheme = url.substr(0, url.find("://"));
  return scheme == "nats" || scheme == "kafka" ? scheme : "http";
}

/// "nats://HOST:PORT" of "nats://HOST:PORT/SUBJECT".
std::string_view server_of(std::string_view url) {
  const auto start = url.find("://");
  return start == url.npos ? url : url.substr(0, url.find('/', start + 3));
}

} // namespace

outgoing::poster* routing_poster::way_of(std::string_view url) const {
  const auto i = ways_.find(scheme_of(url));
  return i == ways_.end() ? nullptr : i->second.get();
}

std::string routing_poster::objection(std::string_view url) const {
  if (way_of(url) == nullptr)
    return "this program was built without " + std::string{scheme_of(url)};
  if (scheme_of(url) != "http" && !queue_servers_.contains(server_of(url)))
    return std::string{server_of(url)} +
           " is not among [webhooks] queue_servers";
  return {};
}

void routing_poster::post(outgoing::request what,
                          std::function<void(outgoing::result)> done) {
  if (auto why = objection(what.url); !why.empty()) {
    done(tl::unexpected<outgoing::failure>{outgoing::failure{
        outgoing::failure_kind::address_refused, std::move(why), {}}});
    return;
  }
  auto* const way = way_of(what.url);
  way->post(std::move(what), std::move(done));
}

void routing_poster::check(std::string url,
                           std::function<void(expected<void>)> done) {
  if (auto why = objection(url); !why.empty()) {
    done(fail(ec::unprocessable, "url: " + why));
    return;
  }
  auto* const way = way_of(url);
  way->check(std::move(url), std::move(done));
}

} // namespace eventweft
