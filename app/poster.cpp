// SPDX-License-Identifier: Apache-2.0
#include "app/poster.hpp"

#include "app/routing_poster.hpp"
#include "net/outgoing/client.hpp"
#include "net/outgoing/kafka_poster.hpp"
#include "net/outgoing/nats_poster.hpp"

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace eventweft {

namespace {

/// Words separated by blanks or commas.
std::vector<std::string_view> words(std::string_view text) {
  constexpr std::string_view blanks = " ,\t";
  std::vector<std::string_view> out;
  for (auto at = text.find_first_not_of(blanks); at != std::string_view::npos;
       at = text.find_first_not_of(blanks)) {
    text.remove_prefix(at);
    out.push_back(text.substr(0, text.find_first_of(blanks)));
    text.remove_prefix(out.back().size());
  }
  return out;
}

} // namespace

std::set<subscription_type> deliverable_types() {
  std::set<subscription_type> out{subscription_type::webhook};
#ifdef EVENTWEFT_WITH_NATS
  out.insert(subscription_type::nats);
#endif
#ifdef EVENTWEFT_WITH_KAFKA
  out.insert(subscription_type::kafka);
#endif
  return out;
}

expected<std::shared_ptr<outgoing::poster>>
make_poster(const config::webhook_settings& settings) {
  outgoing::client_options options;
  options.policy.allow_private_networks = settings.allow_private_networks;
  options.ca_file = settings.ca_file;
  options.max_in_flight = settings.max_in_flight;
  for (const auto word : words(settings.allowed_networks)) {
    auto block = outgoing::parse_cidr(word);
    if (!block)
      return fail(ec::bad_configuration,
                  "[webhooks] allowed_networks: " + block.error().message);
    options.policy.allowed.push_back(*block);
  }
  auto client = outgoing::client::make(std::move(options),
                                       outgoing::make_system_resolver());
  if (!client)
    return fail(ec::bad_configuration,
                "[webhooks] ca_file: " + client.error().message);
  std::map<std::string, std::unique_ptr<outgoing::poster>, std::less<>> ways;
  ways["http"] = std::move(*client);
  [[maybe_unused]] const outgoing::queue_access access{
      settings.queue_tls,
      settings.queue_ca_file,
      settings.queue_user,
      settings.queue_password,
      settings.queue_sasl_mechanism,
      settings.queue_credentials_file};
#ifdef EVENTWEFT_WITH_NATS
  ways["nats"] = outgoing::make_nats_poster(access);
#endif
#ifdef EVENTWEFT_WITH_KAFKA
  ways["kafka"] = outgoing::make_kafka_poster(access);
#endif
  std::set<std::string, std::less<>> servers;
  for (const auto word : words(settings.queue_servers))
    servers.emplace(word);
  return std::make_shared<routing_poster>(std::move(ways), std::move(servers));
}

} // namespace eventweft
