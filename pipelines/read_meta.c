/* Reads the classification from C with GStreamer alone, none of our code:
 *   gcc -o read_meta pipelines/read_meta.c $(pkg-config --cflags --libs gstreamer-1.0)
 *   GST_PLUGIN_PATH=$PWD/target/release ./read_meta VIDEO
 * Prints a line for each face of each frame: time in seconds, id, label, confidence, and the seven probabilities. */

#include <gst/gst.h>

static GstPadProbeReturn
print_faces (GstPad * pad, GstPadProbeInfo * info, gpointer data)
{
  GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER (info);
  GstCustomMeta *meta = gst_buffer_get_custom_meta (buffer, "GstMoodFrame");
  if (!meta)
    return GST_PAD_PROBE_OK;
  const GValue *faces =
      gst_structure_get_value (gst_custom_meta_get_structure (meta), "faces");
  for (guint i = 0; faces && i < gst_value_array_get_size (faces); i++) {
    const GstStructure *face =
        gst_value_get_structure (gst_value_array_get_value (faces, i));
    const gchar *label = gst_structure_get_string (face, "label");
    const GValue *probabilities = gst_structure_get_value (face, "probabilities");
    guint id = 0;
    gdouble confidence = 0;
    gst_structure_get_uint (face, "id", &id);
    /* A face that is not classified has no label. */
    if (!label || !gst_structure_get_double (face, "confidence", &confidence))
      continue;
    g_print ("%.3f %u %s %.3f", GST_BUFFER_PTS (buffer) / 1e9, id, label, confidence);
    for (guint j = 0; probabilities && j < gst_value_array_get_size (probabilities); j++)
      g_print (" %.3f", g_value_get_double (gst_value_array_get_value (probabilities, j)));
    g_print ("\n");
  }
  return GST_PAD_PROBE_OK;
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  if (argc != 2) {
    g_printerr ("usage: %s VIDEO\n", argv[0]);
    return 2;
  }
  GError *error = NULL;
  GstElement *pipeline = gst_parse_launch (
      "filesrc name=file ! decodebin ! videoconvert ! videoflip video-direction=auto ! "
      "haarfacedetect ! emotionclassify ! fakesink name=sink", &error);
  if (!pipeline || error) {
    g_printerr ("%s\n", error ? error->message : "no pipeline");
    return 1;
  }
  GstElement *file = gst_bin_get_by_name (GST_BIN (pipeline), "file");
  GstElement *sink = gst_bin_get_by_name (GST_BIN (pipeline), "sink");
  g_object_set (file, "location", argv[1], NULL);
  GstPad *pad = gst_element_get_static_pad (sink, "sink");
  gst_pad_add_probe (pad, GST_PAD_PROBE_TYPE_BUFFER, print_faces, NULL, NULL);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message = gst_bus_timed_pop_filtered (bus, GST_CLOCK_TIME_NONE,
      GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
  int code = 0;
  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, NULL);
    g_printerr ("%s: %s\n", argv[1], error->message);
    g_clear_error (&error);
    code = 1;
  }
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_message_unref (message);
  gst_object_unref (bus);
  gst_object_unref (pad);
  gst_object_unref (sink);
  gst_object_unref (file);
  gst_object_unref (pipeline);
  return code;
}
