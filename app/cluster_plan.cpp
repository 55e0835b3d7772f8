// SPDX-License-Identifier: Apache-2.0
#include "app/cluster_plan.hpp"

#include "actors/cluster/mesh.hpp"
#include "config/node_name.hpp"

#include <boost/asio/ip/address.hpp>

#include <string_view>

namespace eventweft {

namespace {

std::optional<boost::asio::ip::address> address_in(const std::string& host) {
  boost::system::error_code bad;
  const auto out = boost::asio::ip::make_address(host, bad);
  return bad ? std::nullopt : std::optional{out};
}

// A name that only looks like an address may be anybody's.
bool on_loopback(const std::string& host) {
  const auto address = address_in(host);
  return address ? address->is_loopback() : host == "localhost";
}

tl::unexpected<error> bad_key(std::string_view key, const std::string& why) {
  return fail(ec::bad_configuration,
              "[cluster] " + std::string{key} + ": " + why);
}

/// Whether others can be told to come there.
expected<void> check_reachable(std::string_view key, const std::string& host,
                               const std::string& remedy) {
  const auto address = address_in(host);
  if (!address || !address->is_unspecified())
    return {};
  return bad_key(key, host +
                          " means every address of this machine, so other "
                          "nodes can't be told to dial it: " +
                          remedy);
}

expected<void> check_addresses(const config::cluster_settings& wanted) {
  if (wanted.listen.empty()) {
    if (wanted.advertise.empty())
      return {};
    return bad_key("advertise", "has no effect without listen");
  }
  const auto listen = split_address(wanted.listen);
  if (!listen)
    return bad_key("listen",
                   "expected HOST:PORT, found \"" + wanted.listen + '"');
  if (wanted.advertise.empty())
    return check_reachable("listen", listen->first,
                           "add advertise = \"HOST:PORT\"");
  const auto advertise = split_address(wanted.advertise);
  if (!advertise || advertise->second == 0)
    return bad_key("advertise", "expected HOST:PORT with a port from 1 on, "
                                "found \"" +
                                    wanted.advertise + '"');
  return check_reachable("advertise", advertise->first,
                         "say the one that they reach");
}

} // namespace

std::string http_address(const std::string& http, const std::string& links) {
  const auto own = split_address(http);
  const auto address = own ? address_in(own->first) : std::nullopt;
  if (!address || !address->is_unspecified())
    return http;
  return links.substr(0, links.rfind(':') + 1) + std::to_string(own->second);
}

expected<cluster_plan> plan_node(const config::cluster_settings& settings,
                                 store& on) {
  cluster_plan out;
  auto name = node_name(settings);
  if (!name)
    return fail(std::move(name.error()));
  out.name = std::move(*name);
  if (!on.open_nodes())
    return bad_key("enabled", "needs a store that several nodes can share: "
                              "PostgreSQL, not " +
                                  std::string{on.engine()});
  if (auto fit = check_addresses(settings); !fit)
    return fail(std::move(fit.error()));
  if (settings.listen.empty())
    return out;
  out.address = split_address(settings.listen);
  if (settings.insecure) {
    if (!on_loopback(out.address->first))
      return bad_key("insecure",
                     "is for loopback only, not for " + out.address->first);
    return out;
  }
  for (const auto& [key, path] :
       {std::pair{"certificate", &settings.certificate},
        std::pair{"key", &settings.key}, std::pair{"ca", &settings.ca}})
    if (path->empty())
      return bad_key(key, "is missing: links need certificate, key and ca, or "
                          "insecure = true on loopback");
  auto loaded = cluster_identity::load(settings, out.name);
  if (!loaded)
    return fail(std::move(loaded.error()));
  out.identity = std::move(*loaded);
  return out;
}

} // namespace eventweft
