// Beltway: message queues in shared memory for the processes of one machine. Includes everything but asio.hpp.
#pragma once

#include "beltway/detail/requirements.hpp"

#include "beltway/bytes.hpp"
#include "beltway/connection.hpp"
#include "beltway/consumer.hpp"
#include "beltway/coroutine.hpp"
#include "beltway/error.hpp"
#include "beltway/event_loop.hpp"
#include "beltway/info.hpp"
#include "beltway/limits.hpp"
#include "beltway/message.hpp"
#include "beltway/options.hpp"
#include "beltway/producer.hpp"
#include "beltway/queue.hpp"
#include "beltway/result.hpp"
#include "beltway/status.hpp"
#include "beltway/stop.hpp"
#include "beltway/typed.hpp"
#include "beltway/until.hpp"
#include "beltway/version.hpp"
