// SPDX-License-Identifier: Apache-2.0
#include "app/actor_host.hpp"
#include "app/embed/app_impl.hpp"
#include "app/embed/drafts.hpp"
#include "codec/filter.hpp"
#include "codec/payload.hpp"
#include "codec/request_fields.hpp"
#include "messages/url_escape.hpp"
#include "net/ports/subscriptions.hpp"

namespace eventweft {

namespace {

std::string text_of(const start_point& s) {
  switch (s.from) {
  case start_point::kind::after_seq:
    return s.seq == 0 ? "earliest" : std::to_string(s.seq);
  case start_point::kind::at_time:
    return to_rfc3339(s.time);
  case start_point::kind::now:
    break;
  }
  return {};
}

/// False for what is not there.
template <class Ask>
bool found(Ask ask) {
  try {
    return ask();
  } catch (const Error& e) {
    if (e.code() == Errc::not_found)
      return false;
    throw;
  }
}

// As a store that keeps them has it.
void refuse_built_in(const stream_definition& stream) {
  if (stream.built_in)
    throw Error{Errc::conflict,
                "stream " + stream.name + " is built in: it stays as it is"};
}

} // namespace

stream_definition App::Impl::stream(const std::string& which) const {
  return answer_of<stream_definition>([&](net::backend& line, auto reply) {
    line.subscriptions()->find_stream(which, std::move(reply));
  });
}

StreamEndpoint App::Impl::endpoint(std::string scheme, std::string path,
                                   const std::string& which,
                                   const Filter& filter,
                                   const Since& since) const {
  stream(which);
  std::string query;
  const auto add = [&query](std::string_view key, const std::string& value) {
    query += query.empty() ? '?' : '&';
    query.append(key).append("=").append(url_escaped(value));
  };
  if (const auto f = embed::access::internal(filter); !f.empty())
    add("filter", codec::filter_json(f));
  if (const auto at = text_of(embed::access::internal(since)); !at.empty())
    add("since", at);
  std::shared_lock lock{gate};
  if (address.empty())
    throw Error{Errc::not_supported,
                "the app serves no HTTP, so no client could read this"};
  return {std::move(scheme) + "://" + address + std::move(path) +
              url_escaped(which) + query,
          which};
}

void Streaming::create_stream(const std::string& name, const Filter& filter,
                              const std::string& description) {
  if (!codec::is_path_name(name))
    throw Error{
        Errc::unprocessable,
        "a stream's name is 1 to 100 of A-Z, a-z, 0-9, '_', '-', '.', and "
        "neither \".\" nor \"..\""};
  auto internal = embed::access::internal(filter);
  if (app_.impl_->durable) {
    app_.impl_->answer_of<stream_definition>(
        [&](net::backend& line, auto reply) {
          line.subscriptions()->create_stream({.name = name,
                                               .description = description,
                                               .filter = std::move(internal)},
                                              std::move(reply));
        });
    return;
  }
  const bool made = app_.impl_->with_hub([&](service& s) {
    return s.actors().streams().add({.name = name,
                                     .description = description,
                                     .filter = std::move(internal)});
  });
  if (!made)
    throw Error{Errc::conflict, "there is a stream " + name + " already"};
}

void Streaming::change_stream(const std::string& name,
                              const std::optional<Filter>& filter,
                              const std::optional<std::string>& description) {
  stream_change change;
  change.description = description;
  if (filter)
    change.filter = embed::access::internal(*filter);
  if (app_.impl_->durable) {
    app_.impl_->answer_of<stream_definition>(
        [&](net::backend& line, auto reply) {
          line.subscriptions()->change_stream(name, std::move(change),
                                              std::move(reply));
        });
    return;
  }
  auto stream = app_.impl_->stream(name);
  refuse_built_in(stream);
  if (description)
    stream.description = *description;
  if (change.filter)
    stream.filter = std::move(*change.filter);
  if (!app_.impl_->with_hub([&](service& s) {
        return s.actors().streams().change(std::move(stream));
      }))
    throw Error{Errc::not_found, "there is no stream " + name};
}

bool Streaming::delete_stream(const std::string& name) {
  if (app_.impl_->durable)
    return found([&] {
      return app_.impl_->answer_of<bool>([&](net::backend& line, auto reply) {
        line.subscriptions()->delete_stream(name, std::move(reply));
      });
    });
  return app_.impl_->with_hub([&](service& s) {
    auto& all = s.actors().streams();
    if (const auto stream = all.find(name))
      refuse_built_in(*stream);
    return all.remove(name);
  });
}

std::vector<StreamInfo> Streaming::streams() const {
  std::vector<StreamInfo> out;
  for (auto& s : app_.impl_->with_hub(
           [](service& hub) { return hub.actors().streams().all(); }))
    out.push_back({std::move(s.name), std::move(s.description),
                   embed::access::external(s.filter)});
  return out;
}

StreamEndpoint Streaming::subscribe_websocket(const std::string& stream,
                                              const Filter& filter,
                                              Since since) const {
  return app_.impl_->endpoint("ws", "/ws/events/", stream, filter, since);
}

StreamEndpoint Streaming::subscribe_sse(const std::string& stream,
                                        const Filter& filter,
                                        Since since) const {
  return app_.impl_->endpoint("http", "/events/stream/", stream, filter, since);
}

WebhookSubscription
Streaming::subscribe_webhook(const std::string& stream, const std::string& url,
                             const WebhookOptions& options) {
  const auto& s = *app_.impl_;
  s.stream(stream);
  if (!s.durable)
    throw Error{Errc::not_supported,
                "a webhook subscription needs a store that keeps it"};
  new_subscription wanted;
  wanted.what.stream = stream;
  wanted.what.subscriber_id =
      options.subscriber.empty() ? app_.name() : options.subscriber;
  wanted.what.url = url;
  wanted.what.filter = embed::access::internal(options.filter);
  wanted.what.format =
      options.cloudevents ? wire_format::cloudevents : wire_format::native;
  wanted.what.ordered = options.ordered;
  wanted.secret = options.secret;
  wanted.since = embed::access::internal(options.since);
  const auto made =
      s.answer_of<subscription_view>([&](net::backend& line, auto reply) {
        line.subscriptions()->create_subscription(std::move(wanted),
                                                  std::move(reply));
      });
  return {to_string(made.what.id),
          made.new_secret.empty() ? options.secret : made.new_secret};
}

bool Streaming::unsubscribe_webhook(const std::string& stream,
                                    const std::string& id) {
  const auto parsed = uuid::parse(id);
  if (!parsed)
    throw Error{Errc::malformed, "a subscription's id is a UUID"};
  if (!app_.impl_->durable)
    return false;
  return found([&] {
    return app_.impl_->answer_of<bool>([&](net::backend& line, auto reply) {
      line.subscriptions()->delete_subscription(stream, *parsed,
                                                std::move(reply));
    });
  });
}

std::string Streaming::subscribe_internal(const std::string& stream,
                                          EventCallback callback,
                                          const std::string& subscriber,
                                          const Filter& filter, Since since) {
  return app_.subscribe_to_events(stream, std::move(callback), subscriber,
                                  filter, since);
}

bool Streaming::unsubscribe(const std::string& id) {
  return app_.unsubscribe_from_events(id);
}

std::vector<InternalSubscription> Streaming::subscriptions() const {
  return app_.impl_->readers.list();
}

Submitted Streaming::broadcast_event(const std::string& stream,
                                     CustomEvent event) {
  const auto def = app_.impl_->stream(stream);
  auto draft = embed::draft(event);
  if (!codec::compiled_filter{def.filter}.matches(embed::preview(event)))
    throw Error{Errc::unprocessable, "the stream " + stream +
                                         " does not let this event through: " +
                                         codec::filter_json(def.filter)};
  return app_.impl_->submit(std::move(draft)).get();
}

StreamStats Streaming::get_stream_stats(const std::string& stream) const {
  app_.impl_->stream(stream);
  const auto json = app_.impl_->with_hub(
      [](service& s) { return s.actors().backend().metrics_json(); });
  codec::payload_reader reader;
  const auto root = reader.parse(json);
  simdjson::dom::element figures;
  StreamStats out;
  if (!root || root->at_pointer("/streaming/" + stream).get(figures))
    return out;
  const auto number = [&](const char* key) {
    uint64_t n = 0;
    if (figures.at_key(key).get(n))
      n = 0;
    return n;
  };
  out.active_subscriptions = number("active_subscriptions");
  out.total_subscriptions = number("total_subscriptions");
  out.events_sent = number("events_sent");
  out.bytes_sent = number("bytes_sent");
  out.readers_lagged = number("readers_lagged");
  out.events_matched = number("events_matched");
  out.delivery_errors = number("delivery_errors");
  out.lag_events = static_cast<int64_t>(number("lag_events"));
  out.last_seq = static_cast<int64_t>(number("last_seq"));
  if (figures.at_key("lag_seconds").get(out.lag_seconds))
    out.lag_seconds = 0;
  return out;
}

} // namespace eventweft
