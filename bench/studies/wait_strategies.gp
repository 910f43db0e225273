# Draws wait_strategies.csv (see wait_strategies.cpp) as wait_strategies.svg: latency and processor time by rate.
#   gnuplot -e "input='FILE.csv'; output_file='FILE.svg'" wait_strategies.gp
if (!exists("input")) input = "wait_strategies.csv"
if (!exists("output_file")) output_file = "wait_strategies.svg"
set datafile separator ","
set terminal svg size 1100,480 dynamic background "white" font "sans,13"
set output output_file
set multiplot layout 1,2
set logscale x
set xlabel "messages a second"
set key top left
set grid
strategies = "spin adaptive sleep"
rows(name) = sprintf("< grep '^%s,' %s", name, input)

set title "latency from due to received: median, and up to 99 %"
set ylabel "microseconds"
set logscale y
plot for [i=1:3] rows(word(strategies, i)) using 2:($3/1000):($3/1000):($5/1000) \
  with yerrorlines linewidth 2 pointtype 7 linecolor i title word(strategies, i)

set title "processor time of the consumer"
set ylabel "percent of one processor"
unset logscale y
set yrange [0:105]
plot for [i=1:3] rows(word(strategies, i)) using 2:8 with linespoints linewidth 2 pointtype 7 linecolor i \
  title word(strategies, i)
unset multiplot
