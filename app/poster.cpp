// SPDX-License-Identifier: Apache-2.0
#include "app/poster.hpp"

#include "app/routing_poster.hpp"
#include "net/outgoing/client.hpp"
#include "net/outgoing/kafka_poster.hpp"
#include "net/outgoing/nats_poster.hpp"
#include "net/outgoing/queue_url.hpp"
#include "net/outgoing/tls.hpp"

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

namespace {

/// What the configuration says about them.
struct poster_plan {
  outgoing::client_options client;
  std::set<std::string, std::less<>> queue_servers;
};

expected<poster_plan> plan_poster(const config::webhook_settings& settings) {
  poster_plan out;
  out.client.policy.allow_private_networks = settings.allow_private_networks;
  out.client.ca_file = settings.ca_file;
  out.client.max_in_flight = settings.max_in_flight;
  for (const auto word : words(settings.allowed_networks)) {
    auto block = outgoing::parse_cidr(word);
    if (!block)
      return fail(ec::bad_configuration,
                  "[webhooks] allowed_networks: " + block.error().message);
    out.client.policy.allowed.push_back(*block);
  }
  for (const auto word : words(settings.queue_servers)) {
    // A subscription's URL is such a server and a name behind it.
    const auto read = outgoing::parse_queue_url(std::string{word} + "/x");
    if (!read || read->name != "x")
      return fail(ec::bad_configuration,
                  "[webhooks] queue_servers: expected nats://HOST:PORT or "
                  "kafka://HOST:PORT, found \"" +
                      std::string{word} + '"');
    out.queue_servers.emplace(word);
  }
  return out;
}

tl::unexpected<error> bad_ca(const error& why) {
  return fail(ec::bad_configuration, "[webhooks] ca_file: " + why.message);
}

} // namespace

expected<void> check_poster(const config::webhook_settings& settings) {
  const auto plan = plan_poster(settings);
  if (!plan)
    return fail(plan.error());
  if (const auto context = outgoing::make_tls_context(settings.ca_file);
      !context)
    return bad_ca(context.error());
  return {};
}

expected<std::shared_ptr<outgoing::poster>>
make_poster(const config::webhook_settings& settings) {
  auto plan = plan_poster(settings);
  if (!plan)
    return fail(std::move(plan.error()));
  auto client = outgoing::client::make(std::move(plan->client),
                                       outgoing::make_system_resolver());
  if (!client)
    return bad_ca(client.error());
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
  return std::make_shared<routing_poster>(std::move(ways),
                                          std::move(plan->queue_servers));
}

} // namespace eventweft
