# SPDX-License-Identifier: GPL-2.0
# Draws the figures of a CSV file: gnuplot -e "csv='...'; svg='...'" plot.gp
set terminal svg size 900,1050 font 'sans-serif,12' background 'white'
set output svg
set datafile separator comma
set style fill solid 0.9 noborder
set format y '%.0f'
theirs = '#999999'
ours = '#1f6fb4'
rows(section) = sprintf("< awk -F '\"' '$1 == \"%s,\" && $2 !~ /null ioctl/ {n = split($3, v, \",\"); print $2 \"@\" v[3] \"@\" v[4] \"@\" v[6]}' '%s' | tr @ '\t'", section, csv)
grown(name) = sprintf("< awk -F '\"' '$1 == \"growth,\" && $2 == \"%s\" {split($3, v, \",\"); if (v[2] > 0) print v[2], v[3], v[4]}' '%s'", name, csv)

set multiplot

set size 1, 0.52
set origin 0, 0.48
set rmargin 12
set title 'Instructions above a null ioctl, one thread'
set datafile separator tab
set logscale y
# Room for the key above the bars.
set yrange [10:300000]
set bmargin 11
set ylabel 'instructions'
set grid ytics
set style data histogram
set style histogram clustered gap 1
set xtics rotate by -50 scale 0
set key top left
plot rows('calls') using ($2 - $4):xtic(1) linecolor rgb theirs title 'in-kernel driver of Linux 7.3', \
     '' using ($3 - $4) linecolor rgb ours title 'this driver'

set datafile separator whitespace
set rmargin -1
set bmargin -1
set yrange [*:*]
set style data linespoints
set logscale xy
set xtics norotate autofreq scale 1
set key top left
set ylabel 'instructions'
set size 0.5, 0.24
set xlabel 'N' offset 0, 0.5

set origin 0, 0.24
set title 'set + reset of an event, N waits for all on it'
plot grown('set + reset, N waits for all') using 1:2 linecolor rgb theirs title 'in-kernel', \
     '' using 1:3 linecolor rgb ours title 'this driver'

set origin 0.5, 0.24
set title 'the same of two events in turn, both in N waits for all'
plot grown('the same, of two in turn') using 1:2 linecolor rgb theirs title 'in-kernel', \
     '' using 1:3 linecolor rgb ours title 'this driver'

set origin 0, 0
set title 'hand-over of a mutex among N waiters'
plot grown('mutex handed over among N') using 1:2 linecolor rgb theirs title 'in-kernel', \
     '' using 1:3 linecolor rgb ours title 'this driver'

set origin 0.5, 0
set title 'any of N objects, last signaled'
plot grown('any of N, last signaled') using 1:2 linecolor rgb theirs title 'in-kernel', \
     '' using 1:3 linecolor rgb ours title 'this driver'

unset multiplot
